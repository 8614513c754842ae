//! Requests as a browser sends them, and what comes back.

use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use poem::{Endpoint, Request, RequestBuilder, Response, Route, handler};
use sealed_session::testing::CookieJar;
use sealed_session::{Session, SessionError, SessionManager};

use crate::guards::{FORM, clock};

pub(crate) use crate::guards::{builder, faulty, manager as store};

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

pub(crate) fn get(path: &str) -> RequestBuilder {
    Request::builder().uri_str(path)
}

pub(crate) fn post(path: &str) -> RequestBuilder {
    get(path).method(http::Method::POST)
}

/// Posts a form.
pub(crate) async fn post_form(
    application: &impl Endpoint,
    path: &str,
    cookie: &str,
    body: impl Into<poem::Body>,
) -> Response {
    let request = post(path).header(COOKIE, cookie).header(CONTENT_TYPE, FORM);
    application.get_response(request.body(body)).await
}

/// Someone's browser, and the store of the application that it visits.
pub(crate) struct Browser {
    pub(crate) store: SessionManager,
    pub(crate) jar: CookieJar,
}

impl Browser {
    pub(crate) fn of(store: SessionManager) -> Self {
        Self { store, jar: CookieJar::new(clock()) }
    }

    /// Its session holds a user; the token is of the whole session.
    pub(crate) fn logged_in(store: SessionManager) -> (Self, String) {
        let mut browser = Self::of(store);
        let log_in = |session: &Session| {
            session.put("user", &42)?;
            session.csrf_token()
        };
        let token = browser.jar.visit(&browser.store, log_in).unwrap();
        (browser, token)
    }

    pub(crate) async fn send(&mut self, application: &impl Endpoint, request: RequestBuilder) -> Response {
        let response = application.get_response(request.header(COOKIE, self.jar.cookie_header()).finish()).await;
        for line in response.headers().get_all(SET_COOKIE) {
            self.jar.receive(line.to_str().unwrap());
        }
        response
    }
}
