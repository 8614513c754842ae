//! Several layers in one application, and a store that is chosen for each request.

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http::header::SET_COOKIE;
use sealed_session::adapter::Marked;
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{cookie, send, text};

struct Administration;

fn customers() -> SessionManager {
    SessionManager::builder(Key::generate().unwrap()).build().unwrap()
}

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

#[pollster::test]
async fn two_layers_with_markers_have_a_session_each() {
    for administration_is_outer in [false, true] {
        let customers = SessionLayer::new(customers());
        let administrators = SessionLayer::new(administrators()).marked::<Administration>();
        let routes = Router::new().route("/", get(both));
        let application = if administration_is_outer {
            routes.layer(customers).layer(administrators)
        } else {
            routes.layer(administrators).layer(customers)
        };
        let first = send(&application, "GET", "/", None).await;
        let lines =
            first.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().split(';').next().unwrap());
        let sent = lines.collect::<Vec<_>>().join("; ");
        assert_eq!(text(first).await, "1 10");
        assert_eq!(text(send(&application, "GET", "/", Some(&sent)).await).await, "2 20");
    }
}

#[pollster::test]
async fn layers_that_are_not_told_apart_give_no_session_and_say_so() {
    for count in 2..=4 {
        let layers = (0..count).map(|_| SessionLayer::new(customers()));
        let application = layers.fold(Router::new().route("/", get(visits)), Router::layer);
        let response = send(&application, "GET", "/", None).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{count}");
        assert!(!response.headers().contains_key(SET_COOKIE), "{count}");
        let text = text(response).await;
        assert!(text.contains(".marked::<Marker>()"), "{text}");
    }
}

#[pollster::test]
async fn a_marked_session_without_its_layer_names_the_missing_call() {
    let application = Router::new().route("/", get(both)).layer(SessionLayer::new(customers()));
    let response = send(&application, "GET", "/", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text(response).await.contains("Marked<Session, Marker>"));
}

#[pollster::test]
async fn each_tenant_has_sessions_of_its_own() {
    let shop = SessionManager::builder(Key::generate().unwrap()).audience("shop").build().unwrap();
    let blue = shop.with_audience("shop/blue").unwrap();
    let layer =
        SessionLayer::choosing(
            move |request| {
                if request.uri.path().starts_with("/blue") { blue.clone() } else { shop.clone() }
            },
        );
    let application = Router::new().route("/", get(visits)).route("/blue", get(visits)).layer(layer);
    let sent = cookie(&send(&application, "GET", "/blue", None).await);
    assert_eq!(text(send(&application, "GET", "/blue", Some(&sent)).await).await, "2");
    assert_eq!(text(send(&application, "GET", "/", Some(&sent)).await).await, "1");
}
