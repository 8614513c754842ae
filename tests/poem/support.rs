//! Requests as a browser sends them, and what comes back.

use http::header::{COOKIE, SET_COOKIE};
use poem::{Endpoint, Request, Response, Route, handler};
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{CookieStore, CookieStoreBuilder, Key, Placement, Session, SessionError};

pub(crate) fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(1_795_000_000)
}

pub(crate) fn builder() -> CookieStoreBuilder {
    CookieStore::builder(Key::generate().unwrap()).clock(clock())
}

/// Sessions in their cookies.
pub(crate) fn store() -> CookieStore {
    builder().build().unwrap()
}

/// Sessions in a store that fails on demand.
pub(crate) fn faulty() -> (FaultyStore, CookieStore) {
    let records = FaultyStore::new(clock());
    (records.clone(), builder().store(records).placement(Placement::StoreOnly).build().unwrap())
}

#[handler]
pub(crate) async fn visits(session: Session) -> Result<String, SessionError> {
    Ok(session.increment("visits", 1)?.to_string())
}

/// One endpoint, at `/`.
pub(crate) fn at_root(endpoint: impl Endpoint<Output = Response> + 'static) -> Route {
    Route::new().at("/", endpoint)
}

pub(crate) async fn send(application: &impl Endpoint, path: &str, cookie: Option<&str>) -> Response {
    let request = Request::builder().uri_str(path);
    let request = cookie.into_iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
    application.get_response(request.finish()).await
}

/// The session's cookie of a response, as it is sent back.
pub(crate) fn cookie(response: &Response) -> String {
    response.headers().get(SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap().to_owned()
}

pub(crate) async fn text(response: Response) -> String {
    response.into_body().into_string().await.unwrap()
}
