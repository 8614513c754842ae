//! Requests as a browser sends them, and what comes back.

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::{Key, SessionManager};
use tower::ServiceExt as _;

/// These routes behind sessions in their cookies alone.
pub(crate) fn application(routes: Router) -> Router {
    routes.layer(SessionLayer::new(SessionManager::builder(Key::generate().unwrap()).build().unwrap()))
}

pub(crate) async fn send(application: &Router, method: &str, path: &str, cookie: Option<&str>) -> Response<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = cookie.into_iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
    application.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// Posts a form.
pub(crate) async fn post_form(application: &Router, path: &str, cookie: &str, body: &'static str) -> Response<Body> {
    let request = Request::post(path).header(COOKIE, cookie).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    application.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

/// The session's own line of a response; a marker of the session that was left may stand before it.
pub(crate) fn line(response: &Response<Body>) -> &str {
    let mut lines = response.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
    lines.rfind(|line| line.starts_with("__Host-session=")).unwrap()
}

pub(crate) fn cookie(response: &Response<Body>) -> String {
    line(response).split(';').next().unwrap().to_owned()
}

pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
