//! Missing middlewares, several of them, and a store that is chosen for each request.

use http::StatusCode;
use http::header::SET_COOKIE;
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint as _, EndpointExt as _, Request, Response, handler};
use sealed_session::adapter::Marked;
use sealed_session::adapter::poem::{MissingSessionMiddleware, SessionMiddleware};
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Session, SessionError, SessionManager};

use crate::support::{at_root, builder, cookie, send, store, text, visits};

struct Administration;

fn administrators() -> SessionManager {
    builder().cookie(CookieAttributes::new().name("__Host-administration")).build().unwrap()
}

#[handler]
async fn both(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    let counts = (customer.increment("visits", 1)?, administrator.increment("visits", 10)?);
    Ok(format!("{} {}", counts.0, counts.1))
}

#[handler]
async fn perhaps(session: Option<Session>) -> &'static str {
    if session.is_some() { "a session" } else { "none" }
}

async fn assert_is_told_of_a_missing_middleware(response: Response) {
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!response.headers().contains_key(SET_COOKIE));
    let text = text(response).await;
    assert!(
        text.contains(".with(SessionMiddleware::new(manager))") && text.contains("Marked<Session, Marker>"),
        "{text}"
    );
}

#[pollster::test]
async fn without_the_middleware_the_answer_names_the_missing_call() {
    assert_is_told_of_a_missing_middleware(send(&at_root(visits.boxed()), "/", None).await).await;
}

#[pollster::test]
async fn a_missing_middleware_is_an_error_that_an_application_can_tell() {
    let error = visits.call(Request::default()).await.err().unwrap();
    assert!(error.is::<MissingSessionMiddleware>());
}

#[pollster::test]
async fn a_handler_may_do_without_a_session() {
    assert_eq!(text(send(&at_root(perhaps.boxed()), "/", None).await).await, "none");
    let application = perhaps.with(SessionMiddleware::new(store()));
    assert_eq!(text(send(&application, "/", None).await).await, "a session");
}

#[pollster::test]
async fn a_marked_session_without_its_middleware_names_the_missing_call() {
    let application = both.with(SessionMiddleware::new(store()));
    assert_is_told_of_a_missing_middleware(send(&application, "/", None).await).await;
}

#[pollster::test]
async fn two_middlewares_with_markers_have_a_session_each() {
    for administration_is_outer in [false, true] {
        let customers = SessionMiddleware::new(store());
        let administrators = SessionMiddleware::new(administrators()).marked::<Administration>();
        let application: BoxEndpoint<'_> = if administration_is_outer {
            both.with(customers).with(administrators).boxed()
        } else {
            both.with(administrators).with(customers).boxed()
        };
        let first = send(&application, "/", None).await;
        let lines =
            first.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().split(';').next().unwrap());
        let sent = lines.collect::<Vec<_>>().join("; ");
        assert_eq!(text(first).await, "1 10");
        assert_eq!(text(send(&application, "/", Some(&sent)).await).await, "2 20");
    }
}

#[pollster::test]
async fn middlewares_that_are_not_told_apart_give_no_session_and_say_so() {
    for count in 2..=4 {
        let unmarked =
            (0..count).fold(visits.boxed(), |application, _| application.with(SessionMiddleware::new(store())).boxed());
        assert_is_told_of_a_missing_middleware(send(&unmarked, "/", None).await).await;
        let marked = (0..count).fold(both.with(SessionMiddleware::new(store())).boxed(), |application, _| {
            application.with(SessionMiddleware::new(administrators()).marked::<Administration>()).boxed()
        });
        assert_is_told_of_a_missing_middleware(send(&marked, "/", None).await).await;
    }
}

#[pollster::test]
async fn each_tenant_has_sessions_of_its_own() {
    let shop = builder().audience("shop").build().unwrap();
    let blue = shop.with_audience("shop/blue").unwrap();
    let application = visits.with(SessionMiddleware::choosing(move |request| {
        if request.uri().path().starts_with("/blue") { blue.clone() } else { shop.clone() }
    }));
    let sent = cookie(&send(&application, "/blue", None).await);
    assert_eq!(text(send(&application, "/blue", Some(&sent)).await).await, "2");
    assert_eq!(text(send(&application, "/", Some(&sent)).await).await, "1");
}
