//! Behaviour, section 1: a store that does not answer is no logout, whichever extractor asks.

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use http::header::SET_COOKIE;
use sealed_session::adapter::CsrfForm;
use sealed_session::adapter::axum::{Flash, TypedSession};
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::json::Value;
use sealed_session::store::{Created, MemoryStore, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{Key, PendingSession, Placement, Session, SessionError, SessionManager};

use crate::support::{cookie, post_form, send, text};

/// A store that cannot be reached.
struct Unreachable;

fn no_answer<T: Send>() -> StoreFuture<'static, T> {
    Box::pin(async { Err(StoreError::unavailable("test", "no answer")) })
}

impl RecordStore for Unreachable {
    fn load<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        no_answer()
    }

    fn create<'a>(&'a self, _: &'a RecordId, _: Record) -> StoreFuture<'a, Created> {
        no_answer()
    }

    fn update<'a>(&'a self, _: &'a RecordId, _: Record, _: u64) -> StoreFuture<'a, Updated> {
        no_answer()
    }

    fn touch<'a>(&'a self, _: &'a RecordId, _: sealed_session::Timestamp) -> StoreFuture<'a, bool> {
        no_answer()
    }

    fn destroy<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, ()> {
        no_answer()
    }

    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        no_answer()
    }
}

async fn begin(session: Session) -> Result<(), SessionError> {
    session.put("user", &42)
}

async fn typed(_: TypedSession<Value>) {}

async fn flash(_: Flash) {}

async fn form(_: CsrfForm<Vec<(String, String)>>) {}

fn over(store: impl RecordStore, key: &Key) -> Router {
    let store = SessionManager::builder(key.clone()).store(store).placement(Placement::StoreOnly).build().unwrap();
    Router::new()
        .route("/begin", post(begin))
        .route("/typed", post(typed))
        .route("/flash", post(flash))
        .route("/form", post(form))
        .layer(SessionLayer::new(store))
}

#[pollster::test]
async fn a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays() {
    let key = Key::generate().unwrap();
    let sent = cookie(&send(&over(MemoryStore::new(), &key), "POST", "/begin", None).await);
    let down = over(Unreachable, &key);
    for path in ["/typed", "/flash", "/form"] {
        let response = post_form(&down, path, &sent, "text=hello").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!response.headers().contains_key(SET_COOKIE), "{path}");
        assert_eq!(text(response).await, "", "{path}");
    }
}

async fn end(pending: PendingSession) -> Result<(), SessionError> {
    pending.end().map(drop)
}

#[pollster::test]
async fn a_session_that_cannot_be_loaded_can_be_ended() {
    let clock = ManualClock::at_unix_seconds(1_795_000_000);
    let records = FaultyStore::new(clock.clone());
    let builder = SessionManager::builder(Key::generate().unwrap()).clock(clock).store(records.clone());
    let manager = builder.placement(Placement::StoreOnly).build().unwrap();
    let routes = Router::new().route("/begin", post(begin)).route("/typed", post(typed)).route("/end", post(end));
    let application = routes.layer(SessionLayer::new(manager));
    let sent = cookie(&send(&application, "POST", "/begin", None).await);
    // The store has lost what it acknowledged.
    records.tamper(|records| records.values_mut().for_each(|record| record.version -= 1));
    assert_eq!(send(&application, "POST", "/typed", Some(&sent)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let response = send(&application, "POST", "/end", Some(&sent)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(crate::support::line(&response).contains("Max-Age=0"));
}
