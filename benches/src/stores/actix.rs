//! `actix-session`: its middleware, over its own Redis store and an earlier version of the same client as ours.

use std::pin::Pin;

use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use serde_json::{Map, Value};

use super::{Request, Response, Server, Sessions, cookie};

type Answer = Pin<Box<dyn Future<Output = Result<ServiceResponse, actix_web::Error>>>>;

/// Sessions as the middleware keeps them by default: the cookie is the id, encrypted.
pub(super) struct Actix(Box<dyn Fn(TestRequest) -> Answer>);

impl Actix {
    pub(super) async fn connect(server: &Server, content: Map<String, Value>) -> Self {
        let store = RedisSessionStore::new(server.url()).await.expect("the server is there");
        let application = App::new()
            .app_data(web::Data::new(content))
            .wrap(SessionMiddleware::new(store, Key::generate()))
            .route(Request::Read.path(), web::get().to(read))
            .route(Request::Change.path(), web::get().to(change))
            .route(Request::Begin.path(), web::get().to(begin));
        let service = init_service(application).await;
        Self(Box::new(move |request| Box::pin(service.call(request.to_request()))))
    }
}

async fn read(session: Session) -> HttpResponse {
    assert_eq!(session.get::<u64>("user").expect("a number is there"), Some(42));
    HttpResponse::Ok().finish()
}

async fn change(session: Session) -> HttpResponse {
    assert_eq!(session.get::<u64>("user").expect("a number is there"), Some(42));
    let visits = session.get::<u64>("visits").expect("a number is there, or nothing").unwrap_or_default();
    session.insert("visits", visits + 1).expect("it is a number");
    HttpResponse::Ok().finish()
}

async fn begin(session: Session, content: web::Data<Map<String, Value>>) -> HttpResponse {
    for (name, value) in content.iter() {
        session.insert(name, value).expect("it is a session of JSON");
    }
    HttpResponse::Ok().finish()
}

impl Sessions for Actix {
    fn name(&self) -> &'static str {
        "`actix-session`"
    }

    fn answer<'a>(&'a self, request: Request, with: Option<&'a str>) -> Response<'a> {
        Box::pin(async move {
            let mut test = TestRequest::get().uri(request.path());
            if let Some(with) = with {
                test = test.insert_header((COOKIE, with));
            }
            let response = (self.0)(test).await.expect("the middleware answers");
            assert_eq!(response.status(), StatusCode::OK);
            response.headers().get(SET_COOKIE).map(|line| cookie(line.as_bytes()))
        })
    }
}
