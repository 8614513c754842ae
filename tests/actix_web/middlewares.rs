//! Several middlewares around a route, one, and none.

use actix_web::{App, web};
use sealed_session::adapter::Marked;
use sealed_session::adapter::actix_web::SessionMiddleware;
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{middleware, open, store};

struct Administration;

fn administrators() -> SessionManager {
    let attributes = CookieAttributes::new().name("__Host-administration");
    SessionManager::builder(Key::generate().unwrap()).cookie(attributes).build().unwrap()
}

async fn both(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    let visits = (customer.increment("visits", 1)?, administrator.increment("visits", 10)?);
    Ok(format!("{} {}", visits.0, visits.1))
}

async fn visits(session: Session) -> Result<String, SessionError> {
    Ok(session.increment("visits", 1)?.to_string())
}

#[test]
fn two_middlewares_with_markers_have_a_session_each() {
    for administration_is_outer in [false, true] {
        let customers = middleware();
        let administrators = SessionMiddleware::new(administrators()).marked::<Administration>();
        let (inner, outer) =
            if administration_is_outer { (customers, administrators) } else { (administrators, customers) };
        let application = || App::new().wrap(inner.clone()).wrap(outer.clone()).route("/", web::get().to(both));
        let first = open(application(), "/", "");
        assert_eq!((first.text.as_str(), first.lines.len()), ("1 10", 2));
        assert_eq!(open(application(), "/", &first.cookie()).text, "2 20");
    }
}

#[test]
fn several_middlewares_that_are_not_told_apart_give_no_session_and_say_so() {
    let two = open(App::new().wrap(middleware()).wrap(middleware()).route("/", web::get().to(visits)), "/", "");
    let three = App::new().wrap(middleware()).wrap(middleware()).wrap(middleware());
    for answer in [two, open(three.route("/", web::get().to(visits)), "/", "")] {
        assert_eq!((answer.status, answer.lines.len()), (500, 0));
        assert!(answer.text.contains(".marked::<Marker>()"), "{}", answer.text);
    }
}

#[test]
fn two_middlewares_of_one_marker_give_no_session_and_say_so() {
    let marked = || SessionMiddleware::new(administrators()).marked::<Administration>();
    let application = App::new().wrap(marked()).wrap(marked()).wrap(middleware()).route("/", web::get().to(both));
    let answer = open(application, "/", "");
    assert_eq!((answer.status, answer.lines.len()), (500, 0));
    assert!(answer.text.contains("Marked<Session, Marker>"), "{}", answer.text);
}

#[test]
fn without_the_middleware_the_answer_names_the_missing_call() {
    let answer = open(App::new().route("/", web::get().to(visits)), "/", "");
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains(".wrap(SessionMiddleware::new(manager))"), "{}", answer.text);
}

#[test]
fn a_marked_session_without_its_middleware_names_the_missing_call() {
    let answer = open(App::new().wrap(middleware()).route("/", web::get().to(both)), "/", "");
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("Marked<Session, Marker>"), "{}", answer.text);
}

#[test]
fn each_tenant_has_sessions_of_its_own() {
    let shop = store();
    let blue = shop.with_audience("shop/blue").unwrap();
    let middleware =
        SessionMiddleware::choosing(
            move |request| {
                if request.path().starts_with("/blue") { blue.clone() } else { shop.clone() }
            },
        );
    let application = || {
        let application = App::new().wrap(middleware.clone()).route("/", web::get().to(visits));
        application.route("/blue", web::get().to(visits))
    };
    let sent = open(application(), "/blue", "").cookie();
    assert_eq!(open(application(), "/blue", &sent).text, "2");
    assert_eq!(open(application(), "/", &sent).text, "1");
}

#[test]
fn a_middleware_around_a_scope_alone_serves_that_scope() {
    let application = || {
        let scope = web::scope("/shop").wrap(middleware()).route("/", web::get().to(visits));
        App::new().service(scope).route("/", web::get().to(visits))
    };
    assert_eq!(open(application(), "/shop/", "").text, "1");
    assert_eq!(open(application(), "/", "").status, 500);
}

#[test]
fn debug_output_shows_no_key() {
    let key = Key::generate().unwrap();
    let middleware = SessionMiddleware::new(SessionManager::builder(key.clone()).build().unwrap());
    let shown = format!("{middleware:?} {:?}", SessionMiddleware::choosing(|_| unreachable!()));
    assert!(shown.contains("__Host-session") && shown.contains("chosen for each request"), "{shown}");
    assert!(!shown.contains(key.to_secret_text().as_str()), "{shown}");
}
