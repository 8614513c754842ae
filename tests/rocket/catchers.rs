//! Catchers, which answer in a handler's place: a store that is down must not become a page that tells of something else.

use rocket::http::{CookieJar, Status};
use rocket::response::Redirect;
use rocket::{Build, Catcher, Request, Rocket, catch, catchers, get, routes};
use sealed_session::adapter::rocket::{SessionFairing, SessionGuardError};
use sealed_session::{Session, SessionError};

use crate::support::{answer, bare, browser, on_server, store, text, values};

#[get("/")]
fn visits(session: Session) -> Result<String, SessionError> {
    Ok(format!("visit {}", session.increment("visits", 1)?))
}

#[get("/move")]
fn move_on(jar: &CookieJar<'_>, session: Session) -> Result<Redirect, SessionError> {
    jar.add(("theme", "dark"));
    session.increment("visits", 1).map(|_| Redirect::to("/"))
}

#[get("/refuse")]
fn refuse(jar: &CookieJar<'_>, session: Session) -> Result<Status, SessionError> {
    jar.add(("theme", "dark"));
    session.increment("visits", 1).map(|_| Status::Forbidden)
}

#[get("/either")]
fn either(session: Result<Session, SessionGuardError>) -> &'static str {
    if session.is_ok() { "yours" } else { "everybody's" }
}

#[catch(default)]
fn page(status: Status, _: &Request<'_>) -> String {
    format!("a page for {}", status.code)
}

#[catch(503)]
fn fails() -> Result<(), Status> {
    Err(Status::NotFound)
}

/// Writes the session in the handler's place.
#[catch(403)]
async fn remembers(request: &Request<'_>) -> String {
    let session = request.guard::<Session>().await.succeeded().unwrap();
    session.increment("visits", 10).map_or_else(|error| error.to_string(), |visits| format!("refused at {visits}"))
}

fn application(fairing: SessionFairing) -> Rocket<Build> {
    bare().attach(fairing).mount("/", routes![visits, move_on, refuse, either])
}

#[test]
fn a_store_that_is_down_is_an_empty_503_whatever_catchers_there_are() {
    let registered: [Vec<Catcher>; 3] = [catchers![], catchers![page], catchers![fails]];
    for catchers in registered {
        let (store, records) = on_server();
        let browser = browser(application(SessionFairing::new(store)).register("/", catchers));
        assert_eq!(text(&browser, "/"), "visit 1");
        records.go_down();
        let response = browser.get("/").dispatch();
        assert_eq!((values(&response, "Set-Cookie").len(), values(&response, "Content-Type").len()), (0, 0));
        assert_eq!(answer(response), (503, String::new()));
        records.come_up();
        assert_eq!(text(&browser, "/"), "visit 2");
    }
}

#[test]
fn a_handler_that_takes_the_failure_answers_as_it_likes() {
    let (store, records) = on_server();
    let browser = browser(application(SessionFairing::new(store)));
    assert_eq!(text(&browser, "/"), "visit 1");
    assert_eq!(text(&browser, "/either"), "yours");
    records.go_down();
    assert_eq!(text(&browser, "/either"), "everybody's");
}

#[test]
fn a_session_that_could_not_be_written_replaces_the_answer_and_its_headers() {
    let (store, records) = on_server();
    let browser = browser(application(SessionFairing::new(store)).register("/", catchers![page]));
    assert_eq!(text(&browser, "/"), "visit 1");
    for path in ["/move", "/refuse", "/"] {
        // It is read, and then the store goes down.
        records.go_down_after(1);
        let response = browser.get(path).dispatch();
        for header in ["Set-Cookie", "Location", "Content-Type"] {
            assert_eq!(values(&response, header), [""; 0], "{path} {header}");
        }
        assert_eq!(answer(response), (503, String::new()), "{path}");
        records.come_up();
    }
    assert_eq!(text(&browser, "/"), "visit 2");
}

#[test]
fn an_answer_of_a_catcher_takes_the_session_along_and_drops_the_jar() {
    let browser = browser(application(SessionFairing::new(store())).register("/", catchers![page]));
    let response = browser.get("/refuse").dispatch();
    let lines = values(&response, "Set-Cookie");
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("__Host-session=")), "{lines:?}");
    assert_eq!(answer(response), (403, "a page for 403".to_owned()));
    assert_eq!(text(&browser, "/"), "visit 2");
}

#[test]
fn a_catcher_may_write_the_session_too() {
    let browser = browser(application(SessionFairing::new(store())).register("/", catchers![remembers]));
    assert_eq!(answer(browser.get("/refuse").dispatch()), (403, "refused at 11".to_owned()));
    assert_eq!(text(&browser, "/"), "visit 12");
}

#[test]
fn a_page_that_is_not_found_has_a_session_for_its_catcher() {
    #[catch(404)]
    async fn greet(session: &Request<'_>) -> String {
        let session = session.guard::<Session>().await.succeeded().unwrap();
        format!("{} visits", session.get_or("visits", 0).unwrap())
    }

    let browser = browser(application(SessionFairing::new(store())).register("/", catchers![greet]));
    assert_eq!(text(&browser, "/"), "visit 1");
    assert_eq!(answer(browser.get("/nowhere").dispatch()), (404, "1 visits".to_owned()));
}
