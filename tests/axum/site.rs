//! The site of `tests/guards` in axum.

use axum::Router;
use axum::body::{self, Body as ResponseBody};
use axum::extract::{DefaultBodyLimit, Path};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::header::SET_COOKIE;
use http::{Request as HttpRequest, StatusCode};
use sealed_session::adapter::axum::CsrfFormRejection;
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{ConfigError, Session, SessionError};
use tower::ServiceExt as _;

use crate::guards::form_layers::LayeredForms;
use crate::guards::layers::Layered;
use crate::guards::pages::{self, Administration, Comment, Page, Pairs, Transfer};
use crate::guards::{Answer, Application, Body, Guard, Request, Site, build_guard};

pub(crate) struct Axum(Router);

impl Site for Axum {
    const DEFAULT_LIMIT_BYTES: usize = 2 * 1024 * 1024;

    type Guard = CsrfLayer;

    fn guard(settings: &Guard) -> Result<CsrfLayer, ConfigError> {
        build_guard!(CsrfLayer::new(), settings)
    }

    fn new(application: Application) -> Self {
        let Application { sessions, administrators, guard, misplaced_guard, limit_bytes } = application;
        let [guard, misplaced_guard] =
            [guard, misplaced_guard].map(|guard| guard.map(|guard| Self::guard(&guard).unwrap()));
        let site = limit_bytes.into_iter().fold(routes(), |site, bytes| site.layer(DefaultBodyLimit::max(bytes)));
        let site = guard.into_iter().fold(site, Router::layer);
        let site = sessions.into_iter().map(SessionLayer::new).fold(site, Router::layer);
        let administrators = administrators.into_iter().map(SessionLayer::new);
        let site = administrators.map(SessionLayer::marked::<Administration>).fold(site, Router::layer);
        Self(misplaced_guard.into_iter().fold(site, Router::layer))
    }

    fn send(&self, request: Request) -> Answer {
        let builder = HttpRequest::builder().method(request.method).uri(request.path);
        let builder = request.headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        let body = match request.body {
            Body::Whole(bytes) => bytes.into(),
            Body::Stream(stream) => ResponseBody::from_stream(stream.open::<std::io::Error>()),
        };
        pollster::block_on(async {
            let response = self.0.clone().oneshot(builder.body(body).unwrap()).await.unwrap();
            let (parts, body) = response.into_parts();
            let text = String::from_utf8(body::to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
            let fields = parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap(), Some(value.is_sensitive())));
            Answer::new(parts.status.as_u16(), fields, text)
        })
    }
}

impl Layered for Axum {
    const MISPLACED_GUARD: &'static [&'static str] = &[];
}

impl LayeredForms for Axum {
    const MISSING_SESSION: &'static str = "SessionLayer";
    const MISSING_MARKED_SESSION: &'static str = "Marked<Session, Marker>";
}

fn routes() -> Router {
    Router::new()
        .route("/act/{action}", get(act).post(act))
        .route("/idle", any(async || "done"))
        .route("/echo", post(async |body: String| body))
        .route("/comment", post(comment))
        .route("/strict", post(comment))
        .route("/query", get(comment).post(comment))
        .route("/transfer", post(transfer))
        .route("/pairs", post(pairs))
        .route("/debug", post(debug))
        .route("/why", post(why))
        .route("/administration/comment", post(administration_comment))
        .route("/administration/transfer", post(administration_transfer))
}

async fn act(session: Session, Path(action): Path<String>) -> Result<Page, SessionError> {
    pages::act(&session, &action)
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = self.set_cookie.map(|line| [(SET_COOKIE, line)]);
        (StatusCode::from_u16(self.status).unwrap(), headers, self.text).into_response()
    }
}

async fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    pages::take(&session, &form.value)
}

async fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    form.to_string()
}

async fn pairs(form: CsrfForm<Pairs>) -> String {
    format!("{:?}", form.value)
}

async fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

async fn why(form: Result<CsrfForm<Comment>, CsrfFormRejection>) -> String {
    let failure = form.unwrap_err();
    format!("{failure} {failure:?}")
}

async fn administration_comment(form: Marked<CsrfForm<Comment>, Administration>) -> String {
    form.to_string()
}

async fn administration_transfer(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
    form.to_string()
}

crate::guards::rules!(crate::site::Axum: forms form_layers form_bytes guards not_found layers bytes);
