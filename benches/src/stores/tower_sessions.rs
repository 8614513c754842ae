//! `tower-sessions`: its layer, over its own Redis store and that one's client, `fred`.

use std::convert::Infallible;

use http::header::{COOKIE, SET_COOKIE};
use serde_json::{Map, Value};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_sessions::{Session, SessionManagerLayer};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::clients::Client;
use tower_sessions_redis_store::fred::interfaces::ClientLike as _;
use tower_sessions_redis_store::fred::types::config::Config;

use super::{Request, Response, Server, Sessions, cookie};

type Service = BoxCloneService<http::Request<()>, http::Response<()>, Infallible>;

/// Sessions as the layer keeps them by default: the cookie is the id in plain text.
pub(super) struct TowerSessions(Service);

impl TowerSessions {
    pub(super) async fn connect(server: &Server, content: Map<String, Value>) -> Self {
        let client = Client::new(Config::from_url(server.url()).expect("it is an address"), None, None, None);
        client.init().await.expect("the server is there");
        let store = RedisStore::new(client);
        let handler = service_fn(move |request: http::Request<()>| {
            let content = content.clone();
            async move {
                handle(&request, &content).await;
                Ok::<_, Infallible>(http::Response::new(()))
            }
        });
        Self(ServiceBuilder::new().layer(SessionManagerLayer::new(store)).service(handler).boxed_clone())
    }
}

async fn handle(request: &http::Request<()>, content: &Map<String, Value>) {
    let session = request.extensions().get::<Session>().expect("the layer put it there");
    let path = request.uri().path();
    if path == Request::Begin.path() {
        for (name, value) in content {
            session.insert(name, value).await.expect("it is a session of JSON");
        }
        return;
    }
    assert_eq!(session.get::<u64>("user").await.expect("the store answers"), Some(42));
    if path == Request::Change.path() {
        let visits = session.get::<u64>("visits").await.expect("the store answers").unwrap_or_default();
        session.insert("visits", visits + 1).await.expect("it is a number");
    }
}

impl Sessions for TowerSessions {
    fn name(&self) -> &'static str {
        "`tower-sessions`"
    }

    fn answer<'a>(&'a self, request: Request, with: Option<&'a str>) -> Response<'a> {
        Box::pin(async move {
            let mut builder = http::Request::builder().uri(request.path());
            if let Some(with) = with {
                builder = builder.header(COOKIE, with);
            }
            let request = builder.body(()).expect("it is a request");
            let Ok(response) = self.0.clone().oneshot(request).await;
            assert_eq!(response.status(), http::StatusCode::OK);
            response.headers().get(SET_COOKIE).map(|line| cookie(line.as_bytes()))
        })
    }
}
