//! The session as a request guard.

use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, catch, catchers, get, post, routes};
use sealed_session::adapter::Marked;
use sealed_session::adapter::rocket::{SessionFairing, SessionGuardError};
use sealed_session::{Session, SessionError};

use crate::support::{answer, bare, browser, browser_over, store, text, values};

struct Administration;

/// A guard behind which Rocket cannot see the session.
struct Hidden(Session);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Hidden {
    type Error = SessionGuardError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionGuardError> {
        request.guard::<Session>().await.map(Hidden)
    }
}

#[get("/")]
fn visits(session: Session) -> Result<String, SessionError> {
    Ok(format!("visit {}", session.increment("visits", 1)?))
}

#[get("/hidden")]
fn hidden(session: Hidden) -> Result<String, SessionError> {
    Ok(format!("visit {}", session.0.increment("visits", 1)?))
}

#[get("/why")]
fn why(session: Result<Hidden, SessionGuardError>) -> String {
    session.err().map_or_else(String::new, |error| error.to_string())
}

#[post("/logout")]
fn log_out(session: Session) -> Result<(), SessionError> {
    session.destroy()
}

#[get("/untouched")]
fn untouched() -> &'static str {
    "for everybody"
}

#[test]
fn a_handler_takes_its_session_as_an_argument() {
    let browser = browser_over(store(), routes![visits, hidden]);
    assert_eq!(text(&browser, "/"), "visit 1");
    assert_eq!(text(&browser, "/"), "visit 2");
    assert_eq!(text(&browser, "/hidden"), "visit 3");
}

#[test]
fn a_logout_removes_the_cookie() {
    let browser = browser_over(store(), routes![visits, log_out]);
    assert_eq!(text(&browser, "/"), "visit 1");
    let lines = values(&browser.post("/logout").dispatch(), "Set-Cookie");
    let [marker, line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(marker.starts_with("__Host-session-"), "{marker}");
    assert!(line.starts_with("__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"), "{line}");
    assert_eq!(text(&browser, "/"), "visit 1");
}

#[test]
fn a_route_that_takes_no_session_answers_as_if_there_were_none() {
    let browser = browser_over(store(), routes![visits, untouched]);
    assert_eq!(text(&browser, "/"), "visit 1");
    let response = browser.get("/untouched").dispatch();
    assert_eq!((values(&response, "Set-Cookie").len(), values(&response, "Vary").len()), (0, 0));
    assert_eq!(answer(response), (200, "for everybody".to_owned()));
}

#[test]
fn where_rocket_cannot_see_the_guard_the_answer_is_a_500_and_the_error_names_the_missing_call() {
    let browser = browser(bare().mount("/", routes![hidden, why]));
    let response = browser.get("/hidden").dispatch();
    assert_eq!(response.status().code, 500);
    assert!(text(&browser, "/why").contains(".attach(SessionFairing::new(manager))"));
}

#[test]
fn a_session_that_is_asked_for_before_its_fairing_has_seen_the_request_is_an_error_that_says_so() {
    let early = AdHoc::on_request("early", |request, _| {
        Box::pin(async move {
            let outcome = request.guard::<Session>().await;
            request.add_header(Header::new("X-Early", outcome.failed().unwrap().1.to_string()));
        })
    });
    let late = AdHoc::on_request("late", |request, _| {
        Box::pin(async move {
            let session = request.guard::<Session>().await.succeeded().unwrap();
            session.put("late", &true).unwrap();
        })
    });

    #[get("/")]
    fn page(session: Session, early: Early<'_>) -> String {
        format!("{} {}", early.0, session.get_or("late", false).unwrap())
    }

    struct Early<'r>(&'r str);

    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for Early<'r> {
        type Error = ();

        async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
            Outcome::Success(Early(request.headers().get_one("X-Early").unwrap()))
        }
    }

    let fairing = SessionFairing::new(store());
    let browser = browser(bare().attach(early).attach(fairing).attach(late).mount("/", routes![page]));
    let text = text(&browser, "/");
    assert!(text.contains("attached behind `SessionFairing`") && text.ends_with(" true"), "{text}");
}

#[test]
fn the_catcher_of_a_request_that_rocket_cannot_read_has_no_session_and_is_told_why() {
    #[catch(400)]
    async fn why(request: &Request<'_>) -> String {
        let unmarked = request.guard::<Session>().await.failed().unwrap().1;
        let marked = request.guard::<Marked<Session, Administration>>().await.failed().unwrap().1;
        format!("{} {}", matches!(unmarked, SessionGuardError::NotBegun), matches!(marked, SessionGuardError::NotBegun))
    }

    let marked = SessionFairing::new(store()).marked::<Administration>();
    let application = bare().attach(SessionFairing::new(store())).attach(marked).register("/", catchers![why]);
    let browser = browser(application);
    assert_eq!(answer(browser.get("no uri").dispatch()), (400, "true true".to_owned()));
}
