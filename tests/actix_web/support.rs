//! Requests without a socket, and what comes back.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, Error};
use sealed_session::adapter::actix_web::SessionMiddleware;
use sealed_session::{Key, SessionManager};

/// A response that came whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The `Set-Cookie` values, and whether each is marked as sensitive.
    pub(crate) lines: Vec<(String, bool)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    /// What a browser sends back.
    pub(crate) fn cookie(&self) -> String {
        let pairs = self.lines.iter().map(|(line, _)| line.split(';').next().unwrap());
        pairs.collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// Asks an application for a page, with these cookies.
pub(crate) fn open<T, B>(application: App<T>, path: &str, cookies: &str) -> Answer
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    B: MessageBody + 'static,
{
    send(application, TestRequest::get().uri(path).insert_header((COOKIE, cookies)))
}

pub(crate) fn send<T, B>(application: App<T>, request: TestRequest) -> Answer
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    B: MessageBody + 'static,
{
    send_streamed(application, request, None)
}

/// Sends a request whose body comes as this stream, if there is one.
pub(crate) fn send_streamed<T, B>(application: App<T>, request: TestRequest, body: Option<Payload>) -> Answer
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
        + 'static,
    B: MessageBody + 'static,
{
    System::new().block_on(async {
        let service = init_service(application).await;
        let mut request = request.to_request();
        if let Some(body) = body {
            *request.payload() = body;
        }
        match service.call(request).await {
            Ok(response) => answer(response).await,
            // As the server does.
            Err(error) => {
                let request = TestRequest::get().to_http_request();
                answer(ServiceResponse::<BoxBody>::from_err(error, request)).await
            }
        }
    })
}

async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap().to_owned();
    let lines = response.headers().get_all(SET_COOKIE).map(|line| (text(line), line.is_sensitive())).collect();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let status = response.status().as_u16();
    Answer { status, lines, headers, text: String::from_utf8(read_body(response).await.to_vec()).unwrap() }
}

pub(crate) fn store() -> SessionManager {
    SessionManager::builder(Key::generate().unwrap()).build().unwrap()
}

pub(crate) fn middleware() -> SessionMiddleware {
    SessionMiddleware::new(store())
}
