//! Sessions in Salvo: what a client gets.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::sync::Arc;

use salvo_core::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use salvo_core::http::{HeaderValue, ResBody};
use salvo_core::routing::FlowCtrl;
use salvo_core::{Depot, Handler, Request, Response, handler};
use sealed_session::testing::{CookieJar, FaultyStore, ManualClock};
use sealed_session::{Key, Placement, SessionManager};
use sealed_session_salvo::{DepotExt, Failure, SessionHoop};

#[handler]
async fn count(depot: &mut Depot) -> Result<String, Failure> {
    Ok(depot.session().await?.increment("visits", 1)?.to_string())
}

#[handler]
async fn static_page() -> &'static str {
    "no session"
}

#[handler]
async fn log_out(depot: &mut Depot) -> Result<(), Failure> {
    depot.pending_session()?.end()?;
    Ok(())
}

#[handler]
async fn save_and_fail(depot: &mut Depot) -> Result<(), Failure> {
    let session = depot.session().await?;
    session.put("step", &1)?;
    session.save().await?;
    session.put("step", &"x".repeat(2_000_000))?;
    Ok(())
}

/// A site, and a browser that visits it.
struct Visit {
    manager: SessionManager,
    records: FaultyStore,
    jar: CookieJar,
}

impl Visit {
    fn new() -> Self {
        let clock = ManualClock::at_unix_seconds(1_795_000_000);
        let records = FaultyStore::new(clock.clone());
        let builder = SessionManager::builder(Key::generate().unwrap()).clock(clock.clone());
        let manager = builder.store(records.clone()).placement(Placement::StoreOnly).build().unwrap();
        Self { manager, records, jar: CookieJar::new(clock) }
    }

    async fn request(&mut self, page: impl Handler) -> Response {
        self.request_behind(vec![Arc::new(SessionHoop::new(self.manager.clone()))], page).await
    }

    async fn request_behind(&mut self, mut handlers: Vec<Arc<dyn Handler>>, page: impl Handler) -> Response {
        handlers.push(Arc::new(page));
        let (mut request, mut depot, mut response) = (Request::new(), Depot::new(), Response::new());
        let cookies = HeaderValue::try_from(self.jar.cookie_header()).unwrap();
        request.headers_mut().insert(COOKIE, cookies);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public"));
        FlowCtrl::new(handlers).call_next(&mut request, &mut depot, &mut response).await;
        for line in response.headers().get_all(SET_COOKIE) {
            self.jar.receive(line.to_str().unwrap());
        }
        response
    }
}

/// The status, and the body as text.
fn answer(response: &Response) -> (u16, String) {
    let body = match &response.body {
        ResBody::None => String::new(),
        ResBody::Once(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => format!("{other:?}"),
    };
    (response.status_code.map_or(200, |status| status.as_u16()), body)
}

#[pollster::test]
async fn a_session_is_there_at_the_next_request() {
    let mut visit = Visit::new();
    assert_eq!(answer(&visit.request(count).await), (200, "1".to_owned()));
    assert_eq!(answer(&visit.request(count).await), (200, "2".to_owned()));
}

#[pollster::test]
async fn a_response_with_a_session_is_kept_from_caches_and_its_cookie_is_sensitive() {
    let response = Visit::new().request(count).await;
    assert!(response.headers()[SET_COOKIE].is_sensitive());
    assert_eq!(response.headers()[VARY], "Cookie");
    assert_eq!(response.headers().get_all(CACHE_CONTROL).iter().count(), 1);
    assert!(response.headers()[CACHE_CONTROL].to_str().unwrap().contains("private"));
}

#[pollster::test]
async fn a_page_that_asks_for_no_session_gets_no_header() {
    let mut visit = Visit::new();
    let response = visit.request(static_page).await;
    assert_eq!(answer(&response), (200, "no session".to_owned()));
    assert!(!response.headers().contains_key(SET_COOKIE) && !response.headers().contains_key(VARY));
    assert_eq!(response.headers()[CACHE_CONTROL], "public");
    assert!(visit.records.take_calls().is_empty());
}

#[pollster::test]
async fn a_store_that_is_down_is_an_empty_503_and_logs_nobody_out() {
    let mut visit = Visit::new();
    let _ = visit.request(count).await;
    visit.records.go_down();
    let response = visit.request(count).await;
    assert_eq!(answer(&response), (503, String::new()));
    assert!(!response.headers().contains_key(SET_COOKIE));
    visit.records.come_up();
    assert_eq!(answer(&visit.request(count).await), (200, "2".to_owned()));
}

#[pollster::test]
async fn what_cannot_be_written_takes_the_place_of_the_response_and_what_was_saved_is_sent() {
    let mut visit = Visit::new();
    let response = visit.request(save_and_fail).await;
    assert_eq!(answer(&response), (500, String::new()));
    assert!(response.headers().contains_key(SET_COOKIE));
}

#[pollster::test]
async fn a_logout_works_without_loading_the_session() {
    let mut visit = Visit::new();
    let _ = visit.request(count).await;
    let _ = visit.request(log_out).await;
    assert_eq!(answer(&visit.request(count).await), (200, "1".to_owned()));
}

#[pollster::test]
async fn a_route_without_the_hoop_or_with_two_has_no_session() {
    let mut visit = Visit::new();
    let hoop = || Arc::new(SessionHoop::new(visit.manager.clone())) as Arc<dyn Handler>;
    for hoops in [Vec::new(), vec![hoop(), hoop()], vec![hoop(), hoop(), hoop()]] {
        let response = Visit::new().request_behind(hoops, count).await;
        assert_eq!(answer(&response), (500, String::new()));
    }
    let _ = visit.request(count).await;
}
