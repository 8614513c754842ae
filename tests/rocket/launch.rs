//! What is wrong for every request is found out at launch.

use rocket::error::ErrorKind;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, get, post, routes};
use sealed_session::Session;
use sealed_session::adapter::rocket::{CsrfFairing, CsrfFormGuardError, SessionFairing};
use sealed_session::adapter::{CsrfForm, Marked};

use crate::support::{bare, store, store_named, was_logged};

struct Alone;

struct Absent;

struct Twice;

struct Formless;

struct Unguarded;

struct GuardedTwice;

struct One;

struct Another;

#[get("/")]
fn plain(_session: Session) {}

#[get("/")]
fn optional(_session: Option<Session>) {}

#[get("/")]
fn alone(_session: Marked<Session, Alone>) {}

#[get("/")]
fn absent(_session: Marked<Session, Absent>) {}

#[post("/", data = "<_form>")]
fn form(_form: CsrfForm<String>) {}

#[post("/", data = "<_form>")]
fn marked_form(_form: Result<Marked<CsrfForm<String>, Formless>, CsrfFormGuardError>) {}

fn failure(application: Rocket<Build>) -> ErrorKind {
    match Client::tracked(application) {
        // What it says is dropped with the error: the kind has the same.
        Err(error) => match error.kind() {
            ErrorKind::SentinelAborts(sentries) => ErrorKind::SentinelAborts(sentries.clone()),
            ErrorKind::FailedFairings(fairings) => ErrorKind::FailedFairings(fairings.clone()),
            other => panic!("{other}"),
        },
        Ok(_) => panic!("it launched"),
    }
}

fn aborts(application: Rocket<Build>) -> bool {
    matches!(failure(application), ErrorKind::SentinelAborts(sentries) if sentries.len() == 1)
}

fn is_refused(application: Rocket<Build>) -> bool {
    matches!(failure(application), ErrorKind::FailedFairings(fairings) if fairings.len() == 1)
}

#[test]
fn a_route_with_a_session_does_not_launch_without_its_fairing_and_the_log_names_the_missing_call() {
    assert!(aborts(bare().mount("/", routes![plain])));
    assert!(was_logged(&["a route takes `sealed_session::", "::Session`:", ".attach(SessionFairing::new(manager))"]));
}

#[test]
fn a_route_that_may_do_without_a_session_does_not_launch_either() {
    assert!(aborts(bare().mount("/", routes![optional])));
}

#[test]
fn a_marked_session_needs_the_fairing_of_its_marker_and_the_log_names_it() {
    let fairing = || SessionFairing::new(store());
    assert!(aborts(bare().attach(fairing()).attach(fairing().marked::<Alone>()).mount("/", routes![absent])));
    assert!(was_logged(&["launch::Absent", ".marked::<Marker>()"]));
    assert!(aborts(bare().attach(fairing().marked::<Alone>()).mount("/", routes![plain])));
    assert!(Client::tracked(bare().attach(fairing().marked::<Alone>()).mount("/", routes![alone])).is_ok());
}

#[test]
fn a_form_with_a_token_needs_the_fairing_of_its_session() {
    assert!(aborts(bare().mount("/", routes![form])));
    let unmarked = bare().attach(SessionFairing::new(store()));
    assert!(aborts(unmarked.mount("/", routes![marked_form])));
    assert!(was_logged(&["a route takes", "launch::Formless", "attach(SessionFairing::new(manager)"]));
    let marked = bare().attach(SessionFairing::new(store()).marked::<Formless>());
    assert!(Client::tracked(marked.mount("/", routes![marked_form])).is_ok());
}

#[test]
fn a_guard_that_is_not_behind_its_session_fairing_does_not_launch_and_the_log_says_so() {
    let sessions = || SessionFairing::new(store());
    assert!(is_refused(bare().attach(CsrfFairing::new())));
    assert!(is_refused(bare().attach(CsrfFairing::new()).attach(sessions())));
    assert!(was_logged(&["`CsrfFairing` found no", "::Session`: attach `SessionFairing` before it"]));

    assert!(is_refused(bare().attach(sessions()).attach(CsrfFairing::new().marked::<Unguarded>())));
    assert!(was_logged(&["`CsrfFairing` found no", "launch::Unguarded"]));
    assert!(is_refused(bare().attach(sessions().marked::<Unguarded>()).attach(CsrfFairing::new())));
    assert!(Client::tracked(bare().attach(sessions()).attach(CsrfFairing::new())).is_ok());
}

#[test]
fn two_guards_of_one_session_do_not_launch_and_the_log_says_so() {
    let guard = || CsrfFairing::new().marked::<GuardedTwice>();
    let sessions = SessionFairing::new(store()).marked::<GuardedTwice>();
    assert!(is_refused(bare().attach(sessions).attach(guard()).attach(guard())));
    assert!(was_logged(&["two guards against forged requests", "launch::GuardedTwice", "with all origins"]));
}

#[test]
fn an_application_without_sessions_launches_without_the_fairing() {
    #[get("/")]
    fn page() {}

    assert!(Client::tracked(bare().mount("/", routes![page])).is_ok());
}

#[test]
fn two_fairings_that_are_not_told_apart_do_not_launch_and_the_log_says_so() {
    let fairing = |name| SessionFairing::new(store_named(name));
    assert!(is_refused(bare().attach(fairing("one")).attach(fairing("two"))));
    assert!(was_logged(&["two session fairings bring `sealed_session::", "::Session`:", ".marked::<Marker>()"]));

    let twice = [fairing("one").marked::<Twice>(), fairing("two").marked::<Twice>()];
    assert!(is_refused(twice.into_iter().fold(bare(), Rocket::attach)));
    assert!(was_logged(&["two session fairings bring", "launch::Twice"]));
}

#[test]
fn fairings_with_markers_of_their_own_launch() {
    let fairings = [
        SessionFairing::new(store_named("one")),
        SessionFairing::new(store_named("two")).marked::<One>(),
        SessionFairing::new(store_named("three")).marked::<Another>(),
    ];
    assert!(Client::tracked(fairings.into_iter().fold(bare(), Rocket::attach)).is_ok());
}

#[test]
fn the_debug_form_of_a_fairing_shows_no_key() {
    let key = sealed_session::Key::generate().unwrap();
    let secret = key.to_secret_text();
    let store = sealed_session::SessionManager::builder(key).build().unwrap();
    let shown = format!("{:?}", SessionFairing::new(store));
    assert!(shown.contains("Session") && !shown.contains(secret.as_str()), "{shown}");
}
