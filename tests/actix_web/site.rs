//! The site of `tests/guards` in actix-web.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue, SET_COOKIE};
use actix_web::middleware::Condition;
use actix_web::test::TestRequest;
use actix_web::web::{self, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, Responder};
use sealed_session::adapter::actix_web::{CsrfFormExtractionError, CsrfMiddleware, SessionMiddleware};
use sealed_session::adapter::{CsrfForm, Marked};
use sealed_session::{ConfigError, Session, SessionError};

use crate::guards::form_layers::LayeredForms;
use crate::guards::layers::Layered;
use crate::guards::pages::{self, Administration, Comment, Page, Pairs, Transfer};
use crate::guards::{Answer, Application, Body, Guard, Request, Site, build_guard};
use crate::support::{middleware, send_streamed};

pub(crate) struct ActixWeb {
    sessions: Option<SessionMiddleware>,
    administrators: Option<SessionMiddleware>,
    guard: Option<CsrfMiddleware>,
    misplaced_guard: Option<CsrfMiddleware>,
    limit_bytes: Option<usize>,
}

impl Site for ActixWeb {
    const DEFAULT_LIMIT_BYTES: usize = 256 * 1024;

    type Guard = CsrfMiddleware;

    fn guard(settings: &Guard) -> Result<CsrfMiddleware, ConfigError> {
        build_guard!(CsrfMiddleware::new(), settings)
    }

    fn new(application: Application) -> Self {
        let guard = |settings: Guard| Self::guard(&settings).unwrap();
        let administrators = application.administrators.map(SessionMiddleware::new);
        Self {
            sessions: application.sessions.map(SessionMiddleware::new),
            administrators: administrators.map(SessionMiddleware::marked::<Administration>),
            guard: application.guard.map(guard),
            misplaced_guard: application.misplaced_guard.map(guard),
            limit_bytes: application.limit_bytes,
        }
    }

    fn send(&self, request: Request) -> Answer {
        // That of `web::Form` is not ours, and nobody else can read it.
        let mut application = App::new().app_data(web::FormConfig::default().limit(100)).configure(routes);
        if let Some(limit_bytes) = self.limit_bytes {
            application = application.app_data(PayloadConfig::new(limit_bytes));
        }
        // What is added last runs first.
        let application = application
            .wrap(optional(&self.guard, CsrfMiddleware::new))
            .wrap(optional(&self.sessions, middleware))
            .wrap(optional(&self.administrators, middleware))
            .wrap(optional(&self.misplaced_guard, CsrfMiddleware::new));
        let method = Method::from_bytes(request.method.as_bytes()).unwrap();
        let head = TestRequest::with_uri(&request.path).method(method);
        let head = request.headers.into_iter().fold(head, |head, (name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            head.append_header((name, HeaderValue::from_bytes(&value).unwrap()))
        });
        let answer = match request.body {
            Body::Whole(bytes) if bytes.is_empty() => send_streamed(application, head, None),
            Body::Whole(bytes) => send_streamed(application, head.set_payload(bytes), None),
            Body::Stream(stream) => {
                let payload = Box::pin(stream.open::<PayloadError>());
                send_streamed(application, head, Some(Payload::Stream { payload }))
            }
        };
        let headers = answer.headers.iter().filter(|(name, _)| name != SET_COOKIE.as_str());
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str(), None));
        let lines = answer.lines.iter().map(|(line, is_sensitive)| ("set-cookie", line.as_str(), Some(*is_sensitive)));
        Answer::new(answer.status, headers.chain(lines), answer.text)
    }
}

/// A middleware if there is one. The other is never used.
fn optional<T: Clone>(middleware: &Option<T>, other: fn() -> T) -> Condition<T> {
    Condition::new(middleware.is_some(), middleware.clone().unwrap_or_else(other))
}

impl Layered for ActixWeb {
    const MISPLACED_GUARD: &'static [&'static str] =
        &["`.wrap(CsrfMiddleware::new())` before `.wrap(SessionMiddleware::new(manager))`"];
}

impl LayeredForms for ActixWeb {
    const MISSING_SESSION: &'static str = ".wrap(SessionMiddleware::new(manager))";
    const MISSING_MARKED_SESSION: &'static str = ".marked::<Marker>()";
}

fn routes(configuration: &mut web::ServiceConfig) {
    configuration
        .service(web::resource("/act/{action}").get(act).post(act))
        .service(web::resource("/idle").to(async || "done"))
        .route("/echo", web::post().to(async |body: String| body))
        .route("/comment", web::post().to(comment))
        .route("/strict", web::post().to(comment))
        .service(web::resource("/query").get(comment).post(comment))
        .route("/transfer", web::post().to(transfer))
        .route("/pairs", web::post().to(pairs))
        .route("/debug", web::post().to(debug))
        .route("/why", web::post().to(why))
        .route("/administration/comment", web::post().to(administration_comment))
        .route("/administration/transfer", web::post().to(administration_transfer));
}

async fn act(session: Session, action: web::Path<String>) -> Result<Page, SessionError> {
    pages::act(&session, &action)
}

impl Responder for Page {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status.try_into().unwrap());
        self.set_cookie.into_iter().for_each(|line| {
            response.append_header((SET_COOKIE, line));
        });
        response.body(self.text)
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

async fn why(form: Result<CsrfForm<Comment>, CsrfFormExtractionError>) -> String {
    let failure = form.unwrap_err();
    format!("{failure} {failure:?}")
}

async fn administration_comment(form: Marked<CsrfForm<Comment>, Administration>) -> String {
    form.to_string()
}

async fn administration_transfer(form: Marked<CsrfForm<Comment, Transfer>, Administration>) -> String {
    form.to_string()
}

crate::guards::rules!(crate::site::ActixWeb: forms form_layers form_bytes guards not_found layers bytes);
