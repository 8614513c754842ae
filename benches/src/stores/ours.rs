//! This crate: the tower layer, over its Redis store.

use std::convert::Infallible;

use http::header::{COOKIE, SET_COOKIE};
use redis::aio::ConnectionManager;
use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::{Key, PendingSession, Placement, SessionManager};
use sealed_session_redis::RedisStore;
use serde_json::{Map, Value};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use super::{Request, Response, Server, Sessions, cookie};

type Service = BoxCloneService<http::Request<()>, http::Response<()>, Infallible>;

/// Sessions that stay in the store, whatever their size, and whose calls have a time limit.
pub(super) struct Ours {
    service: Service,
}

impl Ours {
    pub(super) async fn connect(server: &Server, content: Map<String, Value>) -> Self {
        let client = redis::Client::open(server.url()).expect("it is an address");
        let connection = ConnectionManager::new(client).await.expect("the server is there");
        let store = SessionManager::builder(Key::generate().expect("random bytes"))
            .audience("example-app/bench")
            .placement(Placement::StoreOnly)
            .store(RedisStore::new(connection))
            .timer(TokioTimer)
            .build()
            .expect("the settings are good");
        let handler = service_fn(move |request: http::Request<()>| {
            let content = content.clone();
            async move {
                handle(&request, &content).await;
                Ok::<_, Infallible>(http::Response::new(()))
            }
        });
        let service = ServiceBuilder::new().layer(SessionLayer::new(store)).service(handler);
        Self { service: service.map_response(|response| response.map(drop)).boxed_clone() }
    }
}

async fn handle(request: &http::Request<()>, content: &Map<String, Value>) {
    let pending = request.extensions().get::<PendingSession>().expect("the layer put it there");
    let session = pending.session().await.expect("the store answers");
    let path = request.uri().path();
    if path == Request::Begin.path() {
        for (name, value) in content {
            session.put(name.as_str(), value).expect("it is a session of JSON");
        }
        return;
    }
    assert_eq!(session.get("user").expect("a number is there"), Some(42));
    if path == Request::Change.path() {
        session.increment("visits", 1).expect("a number is there, or nothing");
    }
}

impl Sessions for Ours {
    fn name(&self) -> &'static str {
        "`sealed-session`"
    }

    fn answer<'a>(&'a self, request: Request, with: Option<&'a str>) -> Response<'a> {
        Box::pin(async move {
            let mut builder = http::Request::builder().uri(request.path());
            if let Some(with) = with {
                builder = builder.header(COOKIE, with);
            }
            let request = builder.body(()).expect("it is a request");
            let Ok(response) = self.service.clone().oneshot(request).await;
            assert_eq!(response.status(), http::StatusCode::OK);
            response.headers().get(SET_COOKIE).map(|line| cookie(line.as_bytes()))
        })
    }
}
