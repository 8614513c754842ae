//! Several fairings in one application, and a store that is chosen for each request.

use rocket::{get, routes};
use sealed_session::adapter::Marked;
use sealed_session::adapter::rocket::SessionFairing;
use sealed_session::{Key, Session, SessionError, SessionManager};

use crate::support::{bare, browser, store, store_named, text, values};

struct Administration;

#[get("/both")]
fn both(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    Ok(format!("{} {}", customer.increment("visits", 1)?, administrator.increment("visits", 10)?))
}

#[get("/visits")]
fn visits(session: Session) -> Result<String, SessionError> {
    session.increment("visits", 1).map(|visits| visits.to_string())
}

#[get("/blue/visits")]
fn blue_visits(session: Session) -> Result<String, SessionError> {
    session.increment("visits", 1).map(|visits| visits.to_string())
}

#[test]
fn two_fairings_with_markers_have_a_session_each_in_either_order() {
    for administration_is_first in [false, true] {
        let customers = SessionFairing::new(store());
        let administrators = SessionFairing::new(store_named("__Host-administration")).marked::<Administration>();
        let application = bare().mount("/", routes![both, visits]);
        let application = if administration_is_first {
            application.attach(administrators).attach(customers)
        } else {
            application.attach(customers).attach(administrators)
        };
        let browser = browser(application);
        assert_eq!(text(&browser, "/both"), "1 10");
        // Who asks for the one leaves the other alone.
        assert_eq!(values(&browser.get("/visits").dispatch(), "Set-Cookie").len(), 1);
        assert_eq!(text(&browser, "/both"), "3 20");
    }
}

#[test]
fn each_tenant_has_sessions_of_its_own() {
    let shop = SessionManager::builder(Key::generate().unwrap()).audience("shop").build().unwrap();
    let blue = shop.with_audience("shop/blue").unwrap();
    let fairing =
        SessionFairing::choosing(
            move |request| {
                if request.uri().path().starts_with("/blue") { blue.clone() } else { shop.clone() }
            },
        );
    let browser = browser(bare().attach(fairing).mount("/", routes![visits, blue_visits]));
    assert_eq!(text(&browser, "/blue/visits"), "1");
    assert_eq!(text(&browser, "/blue/visits"), "2");
    assert_eq!(text(&browser, "/visits"), "1");
}
