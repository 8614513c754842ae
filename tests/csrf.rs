//! The guard against forged requests, around a service of no framework.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

// A service has no forms.
#[expect(dead_code, reason = "the rules of forms")]
mod guards;

use std::convert::Infallible;

use axum::body::Bytes;
use http::header::SET_COOKIE;
use http::{Request as HttpRequest, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use sealed_session::adapter::tower::{CsrfLayer, SessionLayer};
use sealed_session::{ConfigError, PendingSession};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt as _, service_fn};

use guards::layers::Layered;
use guards::pages::{self, Administration};
use guards::{Answer, Application, Body, Guard, Request, Site, build_guard};

type Answered = Response<UnsyncBoxBody<Bytes, Infallible>>;

struct Tower(BoxCloneService<HttpRequest<Vec<u8>>, Answered, Infallible>);

impl Tower {
    /// The same with a layer around it.
    fn layer<L, B>(self, layer: L) -> Self
    where
        L: Layer<BoxCloneService<HttpRequest<Vec<u8>>, Answered, Infallible>>,
        L::Service: Service<HttpRequest<Vec<u8>>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        <L::Service as Service<HttpRequest<Vec<u8>>>>::Future: Send + 'static,
        B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        Self(layer.layer(self.0).map_response(|response| response.map(|body| body.boxed_unsync())).boxed_clone())
    }
}

impl Site for Tower {
    // It has no forms.
    const DEFAULT_LIMIT_BYTES: usize = 0;
    const OWN_HEADERS: &'static [&'static str] = &[];

    type Guard = CsrfLayer;

    fn guard(settings: &Guard) -> Result<CsrfLayer, ConfigError> {
        build_guard!(CsrfLayer::new(), settings)
    }

    fn new(application: Application) -> Self {
        let Application { sessions, administrators, guard, misplaced_guard, limit_bytes: _ } = application;
        let [guard, misplaced_guard] =
            [guard, misplaced_guard].map(|guard| guard.map(|guard| Self::guard(&guard).unwrap()));
        let site = Self(BoxCloneService::new(service_fn(answer)));
        let site = guard.into_iter().fold(site, Self::layer);
        let site = sessions.into_iter().map(SessionLayer::new).fold(site, Self::layer);
        let administrators = administrators.into_iter().map(SessionLayer::new);
        let site = administrators.map(SessionLayer::marked::<Administration>).fold(site, Self::layer);
        misplaced_guard.into_iter().fold(site, Self::layer)
    }

    fn send(&self, request: Request) -> Answer {
        let builder = HttpRequest::builder().method(request.method).uri(request.path);
        let builder = request.headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        let Body::Whole(body) = request.body else { unreachable!("only forms come in pieces") };
        pollster::block_on(async {
            let (parts, body) = self.0.clone().oneshot(builder.body(body).unwrap()).await.unwrap().into_parts();
            let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
            let fields = parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap(), Some(value.is_sensitive())));
            Answer::new(parts.status.as_u16(), fields, text)
        })
    }
}

impl Layered for Tower {
    const MISPLACED_GUARD: &'static [&'static str] = &[];
}

async fn answer(request: HttpRequest<Vec<u8>>) -> Result<Answered, Infallible> {
    let (parts, body) = request.into_parts();
    let (mut status, mut set_cookie, mut text) = (200, None, "done".to_owned());
    let path = parts.uri.path();
    match path.strip_prefix("/act/") {
        Some(action) => {
            let session = parts.extensions.get::<PendingSession>().unwrap().session().await.unwrap();
            let page = pages::act(&session, action).unwrap();
            (status, set_cookie, text) = (page.status, page.set_cookie, page.text);
        }
        None if path == "/echo" => text = String::from_utf8(body).unwrap(),
        // What the guard leaves to a handler: the token of a form.
        None if path == "/pairs" => {
            let session = parts.extensions.get::<PendingSession>().unwrap().session().await.unwrap();
            let body = String::from_utf8(body).unwrap();
            let verified = session.verify_csrf(body.split_once("_csrf=").map(|(_, token)| token));
            status = verified.map_or_else(|error| error.status_code(), |()| 200);
        }
        None if path != "/idle" => status = 404,
        None => {}
    }
    let response = Response::builder().status(status);
    let response = set_cookie.into_iter().fold(response, |response, line| response.header(SET_COOKIE, line));
    Ok(response.body(Full::from(text).boxed_unsync()).unwrap())
}

guards::rules!(crate::Tower: guards not_found layers bytes);
