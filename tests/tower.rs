//! The tower layer: what it adds to a response, and when it takes the handler's place.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use sealed_session::adapter::tower::{SessionBody, SessionLayer};
use sealed_session::store::{Created, MemoryStore, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Key, PendingSession, Session, SessionManager, Timestamp};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// A body without `Default`, as a framework may have.
#[derive(Debug)]
struct Text(&'static str);

impl http_body::Body for Text {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Infallible>>> {
        let rest = std::mem::take(&mut self.0);
        std::task::Poll::Ready((!rest.is_empty()).then(|| Ok(http_body::Frame::data(rest.as_bytes()))))
    }
}

type Answer = Response<SessionBody<Text>>;

/// Sends one request through the layer to a handler that uses its session and makes a response.
async fn answer(
    store: &SessionManager,
    request: Request<()>,
    handler: impl Fn(&Session) -> Response<Text> + Clone + Send + 'static,
) -> Answer {
    let service = SessionLayer::new(store.clone()).layer(service_fn(move |request: Request<()>| {
        let handler = handler.clone();
        async move {
            let session = request.extensions().get::<PendingSession>().unwrap().session().await.unwrap();
            Ok::<_, Infallible>(handler(&session))
        }
    }));
    service.oneshot(request).await.unwrap()
}

fn store() -> SessionManager {
    SessionManager::builder(Key::generate().unwrap()).store(MemoryStore::new()).build().unwrap()
}

fn request(cookies: &[&str]) -> Request<()> {
    cookies.iter().fold(Request::builder(), |request, cookie| request.header(COOKIE, *cookie)).body(()).unwrap()
}

fn cookie(answer: &Answer) -> String {
    let line = answer.headers().get_all(SET_COOKIE).iter().next_back().unwrap().to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

async fn body(answer: Answer) -> Vec<u8> {
    answer.into_body().collect().await.unwrap().to_bytes().to_vec()
}

fn hello(_: &Session) -> Response<Text> {
    Response::new(Text("hello"))
}

fn log_in(session: &Session) -> Response<Text> {
    session.put("user", "zoe").unwrap();
    hello(session)
}

#[pollster::test]
async fn a_session_travels_from_response_to_request() {
    let store = store();
    let first = answer(&store, request(&[]), log_in).await;
    let sent = cookie(&first);
    assert_eq!(body(first).await, b"hello");
    let seen = Arc::new(Mutex::new(None));
    let into = Arc::clone(&seen);
    let again = answer(&store, request(&[&sent]), move |session| {
        *into.lock().unwrap() = session.get::<String>("user").unwrap();
        hello(session)
    })
    .await;
    assert_eq!(seen.lock().unwrap().as_deref(), Some("zoe"));
    assert!(again.headers().get(SET_COOKIE).is_none());
}

#[pollster::test]
async fn cookie_headers_that_http2_split_are_all_read() {
    let store = store();
    let sent = cookie(&answer(&store, request(&[]), log_in).await);
    let split = request(&["a=1", "b=2", &sent, "c=3"]);
    answer(&store, split, |session| {
        assert!(session.has("user").unwrap());
        hello(session)
    })
    .await;
}

#[pollster::test]
async fn a_neighbours_cookie_that_is_no_utf8_does_not_hide_ours() {
    let store = store();
    let sent = cookie(&answer(&store, request(&[]), log_in).await);
    let bytes = [b"theme=\xff\xfe; ".as_slice(), sent.as_bytes()].concat();
    let request = Request::builder().header(COOKIE, bytes.as_slice()).body(()).unwrap();
    answer(&store, request, |session| {
        assert!(session.has("user").unwrap());
        hello(session)
    })
    .await;
}

#[pollster::test]
async fn the_handlers_own_headers_are_kept() {
    let response = answer(&store(), request(&[]), |session| {
        session.put("user", "zoe").unwrap();
        Response::builder()
            .header(SET_COOKIE, "theme=dark")
            .header(VARY, "Accept-Encoding")
            .status(404)
            .body(Text("no such page"))
            .unwrap()
    })
    .await;
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(cookies[0], "theme=dark");
    assert!(cookies[1].starts_with("__Host-session=A"), "{cookies:?}");
    assert_eq!(cookies.len(), 2);
    let vary: Vec<_> = response.headers().get_all(VARY).iter().collect();
    assert_eq!(vary, ["Accept-Encoding", "Cookie"]);
    assert_eq!(response.status(), 404);
    assert_eq!(body(response).await, b"no such page");
}

#[pollster::test]
async fn the_session_cookie_is_marked_as_sensitive() {
    let response = answer(&store(), request(&[]), log_in).await;
    assert!(response.headers().get(SET_COOKIE).unwrap().is_sensitive());
}

#[pollster::test]
async fn caches_are_kept_out_of_a_response_with_a_session() {
    let cached = |session: &Session| {
        session.put("user", "zoe").unwrap();
        Response::builder()
            .header(CACHE_CONTROL, "public, max-age=60")
            .header(CACHE_CONTROL, "s-maxage=600")
            .header("CDN-Cache-Control", "max-age=600")
            .header("Surrogate-Control", "max-age=600")
            .body(Text(""))
            .unwrap()
    };
    let response = answer(&store(), request(&[]), cached).await;
    let values: Vec<_> = response.headers().get_all(CACHE_CONTROL).iter().collect();
    assert_eq!(values, ["private, max-age=60"]);
    assert!(response.headers().get("CDN-Cache-Control").is_none());
    assert!(response.headers().get("Surrogate-Control").is_none());
}

#[pollster::test]
async fn a_response_without_a_session_is_left_as_it_is() {
    let service = SessionLayer::new(store()).layer(service_fn(async |_: Request<()>| {
        let response = Response::builder().header(CACHE_CONTROL, "public").header("CDN-Cache-Control", "max-age=1");
        Ok::<_, Infallible>(response.body(Text("asset")).unwrap())
    }));
    let response = service.oneshot(request(&["__Host-session=whatever"])).await.unwrap();
    assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "public");
    assert!(response.headers().contains_key("CDN-Cache-Control"));
    assert!(!response.headers().contains_key(VARY));
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[pollster::test]
async fn a_service_that_fails_passes_its_error_on() {
    let service = SessionLayer::new(store())
        .layer(service_fn(async |_: Request<()>| Err::<Response<Text>, _>(std::io::Error::other("broken"))));
    assert_eq!(service.oneshot(request(&[])).await.unwrap_err().to_string(), "broken");
}

/// A store that is down.
struct Down;

fn down<'a, T>() -> StoreFuture<'a, T> {
    Box::pin(async { Err(StoreError::unavailable("down", "connection refused")) })
}

impl RecordStore for Down {
    fn load<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        down()
    }
    fn create<'a>(&'a self, _: &'a RecordId, _: Record) -> StoreFuture<'a, Created> {
        down()
    }
    fn update<'a>(&'a self, _: &'a RecordId, _: Record, _: u64) -> StoreFuture<'a, Updated> {
        down()
    }
    fn touch<'a>(&'a self, _: &'a RecordId, _: Timestamp) -> StoreFuture<'a, bool> {
        down()
    }
    fn destroy<'a>(&'a self, _: &'a RecordId) -> StoreFuture<'a, ()> {
        down()
    }
    fn sweep(&self, _: usize) -> StoreFuture<'_, usize> {
        down()
    }
}

fn fill(session: &Session) -> Response<Text> {
    session.put("cart", &"x".repeat(5000)).unwrap();
    Response::builder().header(SET_COOKIE, "theme=dark").body(Text("saved")).unwrap()
}

#[pollster::test]
async fn when_the_store_is_down_at_commit_the_answer_is_an_empty_503_without_any_cookie() {
    let store = SessionManager::builder(Key::generate().unwrap()).store(Down).build().unwrap();
    let response = answer(&store, request(&[]), fill).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().is_empty());
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(0));
    assert_eq!(body(response).await, b"");
}

#[pollster::test]
async fn a_session_that_fits_nowhere_is_answered_with_an_empty_500() {
    let store = SessionManager::builder(Key::generate().unwrap()).build().unwrap();
    let response = answer(&store, request(&[]), fill).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().is_empty());
    assert_eq!(body(response).await, b"");
}

#[pollster::test]
async fn a_write_behind_the_response_head_is_an_error_to_the_writer() {
    let store = store();
    let kept = Arc::new(Mutex::new(None));
    let into = Arc::clone(&kept);
    answer(&store, request(&[]), move |session| {
        *into.lock().unwrap() = Some(session.clone());
        hello(session)
    })
    .await;
    let session = kept.lock().unwrap().take().unwrap();
    assert!(session.put("late", &1).unwrap_err().to_string().contains("committed"));
}
