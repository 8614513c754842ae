//! Sessions of `tower-sessions` in the sealed cookie: what `SessionManagerLayer` does, and what it does not.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::convert::Infallible;

use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response, StatusCode};
use sealed_session::testing::{CookieJar, FaultyStore, ManualClock};
use sealed_session::{Key, PendingSession, SessionManager};
use sealed_session_tower_sessions::TowerSessionsLayer;
use time::Duration;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_sessions_core::session::{Expiry, Session};

const IDLE_SECONDS: u64 = 2 * 60 * 60;

/// A site, and a browser that visits it.
struct Visit {
    store: SessionManager,
    records: FaultyStore,
    clock: ManualClock,
    jar: CookieJar,
}

impl Visit {
    fn new() -> Self {
        let clock = ManualClock::at_unix_seconds(1_795_000_000);
        let records = FaultyStore::new(clock.clone());
        let store = SessionManager::builder(Key::generate().unwrap()).clock(clock.clone()).store(records.clone());
        Self { store: store.build().unwrap(), records, jar: CookieJar::new(clock.clone()), clock }
    }

    /// One request; the handler says with which status it answers.
    async fn request<F>(
        &mut self,
        handler: impl Fn(Session, sealed_session::Session) -> F + Clone + Send + 'static,
    ) -> StatusCode
    where
        F: Future<Output = u16> + Send + 'static,
    {
        let service = TowerSessionsLayer::new(self.store.clone()).layer(service_fn(move |request: Request<()>| {
            let handler = handler.clone();
            async move {
                let session = request.extensions().get::<Session>().unwrap().clone();
                let Ok(ours) = request.extensions().get::<PendingSession>().unwrap().session().await else {
                    return Ok(response(u16::from(session.get::<u64>("n").await.is_ok()) + 200));
                };
                Ok::<_, Infallible>(response(handler(session, ours).await))
            }
        }));
        let request = Request::builder().header(COOKIE, self.jar.cookie_header()).body(()).unwrap();
        let response = service.oneshot(request).await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            self.jar.receive(line.to_str().unwrap());
        }
        response.status()
    }

    async fn insert(&mut self, key: &'static str, value: &'static str) {
        let status = self.request(move |session, _| async move {
            session.insert(key, value).await.unwrap();
            200
        });
        assert_eq!(status.await, 200);
    }

    async fn get(&mut self, key: &'static str) -> Option<String> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let status = self.request(move |session, _| {
            let sender = sender.clone();
            async move {
                sender.send(session.get::<String>(key).await.unwrap()).unwrap();
                200
            }
        });
        assert_eq!(status.await, 200);
        receiver.recv().unwrap()
    }
}

fn response(status: u16) -> Response<String> {
    Response::builder().status(status).body(String::new()).unwrap()
}

#[pollster::test]
async fn a_value_is_there_in_the_next_request() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    assert_eq!(visit.get("name").await.as_deref(), Some("zoe"));
}

#[pollster::test]
async fn a_request_that_writes_nothing_sets_no_cookie() {
    let mut visit = Visit::new();
    assert_eq!(visit.get("name").await, None);
    assert_eq!(visit.jar.value("__Host-session"), None);
}

#[pollster::test]
async fn both_kinds_of_session_see_the_same_values() {
    let mut visit = Visit::new();
    visit.insert("example.com", "zoe").await;
    let status = visit.request(|_, ours| async move {
        let path = sealed_session::Path::from_segments(["example.com"]);
        assert_eq!(ours.get::<String>(path).unwrap().as_deref(), Some("zoe"));
        ours.put("city", "Oslo").unwrap();
        200
    });
    assert_eq!(status.await, 200);
    assert_eq!(visit.get("city").await.as_deref(), Some("Oslo"));
}

#[pollster::test]
async fn a_removed_value_is_gone() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    visit.insert("city", "Oslo").await;
    let status = visit.request(|session, _| async move {
        assert_eq!(session.remove::<String>("name").await.unwrap().as_deref(), Some("zoe"));
        200
    });
    assert_eq!(status.await, 200);
    assert_eq!((visit.get("name").await, visit.get("city").await.as_deref()), (None, Some("Oslo")));
}

#[pollster::test]
async fn a_flushed_session_is_removed_from_the_browser_and_the_store() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    visit
        .request(|session, _| async move {
            session.insert("cart", "x".repeat(10_000)).await.unwrap();
            200
        })
        .await;
    assert_eq!(visit.records.snapshot().len(), 1);
    let status = visit.request(|session, _| async move {
        session.flush().await.unwrap();
        200
    });
    assert_eq!(status.await, 200);
    // The marker of the session that this browser has left, and its record without data.
    assert_eq!(visit.jar.value("__Host-session"), None);
    assert_eq!(visit.records.snapshot().len(), 1);
    assert!(visit.records.snapshot().values().all(|record| record.bytes.len() < 400));
}

#[pollster::test]
async fn a_new_id_keeps_the_values_and_the_birth() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    visit.clock.advance_seconds(60);
    let ids = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    for _ in 0..2 {
        let ids = ids.clone();
        let status = visit.request(move |session, ours| {
            let ids = ids.clone();
            async move {
                ids.lock().unwrap().push((session.id(), ours.created_at()));
                session.cycle_id().await.unwrap();
                200
            }
        });
        assert_eq!(status.await, 200);
    }
    let ids = std::mem::take(&mut *ids.lock().unwrap());
    assert_ne!(ids[0].0, ids[1].0);
    assert_eq!(ids[0].1, ids[1].1);
    assert_eq!(visit.get("name").await.as_deref(), Some("zoe"));
}

#[pollster::test]
async fn what_comes_behind_a_flush_is_another_session_without_grace_for_the_old_one() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    let status = visit.request(|session, _| async move {
        session.insert("cart", "x".repeat(10_000)).await.unwrap();
        200
    });
    assert_eq!(status.await, 200);
    let mut in_flight = visit.jar.clone();
    let status = visit.request(|session, _| async move {
        session.flush().await.unwrap();
        session.insert("farewell", "bye").await.unwrap();
        200
    });
    assert_eq!(status.await, 200);
    assert_eq!((visit.get("name").await, visit.get("farewell").await.as_deref()), (None, Some("bye")));
    std::mem::swap(&mut in_flight, &mut visit.jar);
    assert_eq!((visit.get("name").await, visit.get("farewell").await), (None, None));
}

/// `tower-sessions` deletes the old session at once and does not save the new one.
#[pollster::test]
async fn a_new_id_before_a_server_error_logs_nobody_out() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    let status = visit.request(|session, _| async move {
        session.cycle_id().await.unwrap();
        500
    });
    assert_eq!(status.await, 500);
    assert_eq!(visit.get("name").await.as_deref(), Some("zoe"));
}

/// `tower-sessions` writes a session as a whole, and the last one wins.
#[pollster::test]
async fn a_parallel_write_to_another_key_is_not_lost() {
    let mut visit = Visit::new();
    visit.insert("theirs", "1").await;
    visit
        .request(|session, _| async move {
            session.insert("cart", "x".repeat(10_000)).await.unwrap();
            200
        })
        .await;
    let mut other = Visit {
        store: visit.store.clone(),
        records: visit.records.clone(),
        clock: visit.clock.clone(),
        jar: visit.jar.clone(),
    };
    let between =
        std::sync::Arc::new(std::sync::Mutex::new(Some(move || pollster::block_on(other.insert("theirs", "2")))));
    let status = visit.request(move |session, _| {
        let between = between.clone();
        async move {
            session.insert("ours", "1").await.unwrap();
            if let Some(write) = between.lock().unwrap().take() {
                std::thread::spawn(write).join().unwrap();
            }
            200
        }
    });
    assert_eq!(status.await, 200);
    assert_eq!((visit.get("ours").await.as_deref(), visit.get("theirs").await.as_deref()), (Some("1"), Some("2")));
}

#[pollster::test]
async fn an_expiry_by_inactivity_is_renewed_with_use() {
    let mut visit = Visit::new();
    let status = visit.request(|session, _| async move {
        session.insert("name", "zoe").await.unwrap();
        session.set_expiry(Some(Expiry::OnInactivity(Duration::minutes(5))));
        200
    });
    assert_eq!(status.await, 200);
    for _ in 0..3 {
        visit.clock.advance_seconds(299);
        assert_eq!(visit.get("name").await.as_deref(), Some("zoe"));
    }
    visit.clock.advance_seconds(300);
    assert_eq!(visit.get("name").await, None);
}

#[pollster::test]
async fn an_expiry_at_an_instant_is_not_moved_by_use() {
    let mut visit = Visit::new();
    let end = time::OffsetDateTime::from_unix_timestamp(1_795_000_600).unwrap();
    let status = visit.request(move |session, _| async move {
        session.insert("name", "zoe").await.unwrap();
        session.set_expiry(Some(Expiry::AtDateTime(end)));
        200
    });
    assert_eq!(status.await, 200);
    visit.clock.advance_seconds(599);
    assert_eq!(visit.get("name").await.as_deref(), Some("zoe"));
    visit.clock.advance_seconds(1);
    assert_eq!(visit.get("name").await, None);
    assert_eq!(visit.jar.value("__Host-session"), None);
}

#[pollster::test]
async fn an_expiry_that_is_too_long_becomes_the_longest_there_is_and_one_that_is_over_ends_the_session() {
    for (lifetime, after_a_day) in
        [(Duration::weeks(5_000), Some("zoe")), (Duration::ZERO, None), (Duration::seconds(-9), None)]
    {
        let mut visit = Visit::new();
        let status = visit.request(move |session, _| async move {
            session.insert("name", "zoe").await.unwrap();
            session.set_expiry(Some(Expiry::OnInactivity(lifetime)));
            200
        });
        assert_eq!(status.await, 200);
        visit.clock.advance_seconds(24 * 60 * 60);
        assert_eq!(visit.get("name").await.as_deref(), after_a_day, "{lifetime}");
    }
}

#[pollster::test]
async fn the_stores_own_timeout_holds_without_any_expiry() {
    let mut visit = Visit::new();
    visit.insert("name", "zoe").await;
    visit.clock.advance_seconds(IDLE_SECONDS);
    assert_eq!(visit.get("name").await, None);
}

#[pollster::test]
async fn a_store_that_is_down_is_a_503_for_whoever_asks_and_nobody_is_logged_out() {
    let mut visit = Visit::new();
    visit
        .request(|session, _| async move {
            session.insert("cart", "x".repeat(10_000)).await.unwrap();
            200
        })
        .await;
    visit.records.go_down();
    let before = visit.jar.cookie_header();
    assert_eq!(visit.request(|_, _| async { 200 }).await, 503);
    assert_eq!(visit.jar.cookie_header(), before);
    visit.records.come_up();
    assert_eq!(visit.get("cart").await.map(|cart| cart.len()), Some(10_000));
}
