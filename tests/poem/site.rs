//! The site of `tests/guards` in poem.

use http::header::SET_COOKIE;
use http::{Method, StatusCode};
use poem::endpoint::{BoxEndpoint, make};
use poem::middleware::SizeLimit;
use poem::web::Path;
use poem::{Endpoint as _, EndpointExt as _, IntoResponse, Response, Route, handler};
use sealed_session::adapter::poem::{CsrfMiddleware, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, CsrfFormError, Marked};
use sealed_session::limits::FORM_MAX_BYTES;
use sealed_session::{ConfigError, Session, SessionError};

use crate::guards::form_layers::LayeredForms;
use crate::guards::layers::Layered;
use crate::guards::pages::{self, Administration, Comment, Page, Pairs, Transfer};
use crate::guards::{Answer, Application, Body, Guard, Request, Site, build_guard};

pub(crate) struct Poem(BoxEndpoint<'static, Response>);

impl Site for Poem {
    const DEFAULT_LIMIT_BYTES: usize = FORM_MAX_BYTES;
    // `SizeLimit` is around the form, and wants a length.
    const COUNTS_PIECES: bool = false;
    const TOO_LARGE: &'static str = "payload too large";

    type Guard = CsrfMiddleware;

    fn guard(settings: &Guard) -> Result<CsrfMiddleware, ConfigError> {
        build_guard!(CsrfMiddleware::new(), settings)
    }

    fn new(application: Application) -> Self {
        let mut site = routes(application.limit_bytes).boxed();
        if let Some(guard) = application.guard {
            site = site.with(Self::guard(&guard).unwrap()).boxed();
        }
        if let Some(sessions) = application.sessions {
            site = site.with(SessionMiddleware::new(sessions)).boxed();
        }
        if let Some(administrators) = application.administrators {
            site = site.with(SessionMiddleware::new(administrators).marked::<Administration>()).boxed();
        }
        if let Some(guard) = application.misplaced_guard {
            site = site.with(Self::guard(&guard).unwrap()).boxed();
        }
        Self(site)
    }

    fn send(&self, request: Request) -> Answer {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap();
        let builder = poem::Request::builder().method(method).uri_str(request.path);
        let builder = request.headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        let body = match request.body {
            Body::Whole(bytes) => poem::Body::from(bytes),
            Body::Stream(stream) => poem::Body::from_bytes_stream(stream.open::<std::io::Error>()),
        };
        pollster::block_on(async {
            let (parts, body) = self.0.get_response(builder.body(body)).await.into_parts();
            let fields = parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap(), Some(value.is_sensitive())));
            Answer::new(parts.status.as_u16(), fields, body.into_string().await.unwrap())
        })
    }
}

impl Layered for Poem {
    const MISPLACED_GUARD: &'static [&'static str] = &["`.with(SessionMiddleware::new(manager))`", "`CsrfMiddleware`"];
}

impl LayeredForms for Poem {
    const MISSING_SESSION: &'static str = ".with(SessionMiddleware::new(manager))";
    const MISSING_MARKED_SESSION: &'static str = "Marked<Session, Marker>";
}

fn routes(limit_bytes: Option<usize>) -> Route {
    let limited = match limit_bytes {
        Some(bytes) => pairs.with(SizeLimit::new(bytes)).boxed(),
        None => pairs.boxed(),
    };
    Route::new()
        .at("/act/:action", poem::get(act).post(act))
        .at("/idle", make(|_| async { "done" }))
        .at("/echo", poem::post(echo))
        .at("/comment", poem::post(comment))
        .at("/strict", poem::post(comment))
        .at("/query", poem::get(comment).post(comment))
        .at("/transfer", poem::post(transfer))
        .at("/pairs", poem::post(limited))
        .at("/debug", poem::post(debug))
        .at("/why", poem::post(why))
        .at("/administration/comment", poem::post(administration_comment))
        .at("/administration/transfer", poem::post(administration_transfer))
}

#[handler]
async fn act(session: Session, Path(action): Path<String>) -> Result<Page, SessionError> {
    pages::act(&session, &action)
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let response = self.text.with_status(StatusCode::from_u16(self.status).unwrap()).into_response();
        match self.set_cookie {
            Some(line) => response.with_header(SET_COOKIE, line).into_response(),
            None => response,
        }
    }
}

#[handler]
async fn echo(body: String) -> String {
    body
}

#[handler]
async fn comment(session: Session, form: CsrfForm<Comment>) -> Result<String, SessionError> {
    pages::take(&session, &form.value)
}

#[handler]
async fn transfer(form: CsrfForm<Comment, Transfer>) -> String {
    form.to_string()
}

#[handler]
async fn pairs(form: CsrfForm<Pairs>) -> String {
    format!("{:?}", form.value)
}

#[handler]
async fn debug(form: CsrfForm<Comment>) -> String {
    format!("{form:?}")
}

#[handler]
async fn why(form: poem::Result<CsrfForm<Comment>>) -> String {
    let failure = form.unwrap_err();
    let cause: &CsrfFormError = failure.downcast_ref().unwrap();
    format!("{failure} {failure:?} {cause} {cause:?}")
}

#[handler]
async fn administration_comment(form: Marked<CsrfForm<Comment>, Administration>) -> String {
    form.to_string()
}

#[handler]
async fn administration_transfer(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
    form.to_string()
}

crate::guards::rules!(crate::site::Poem: forms form_layers form_bytes guards layers bytes);
