//! axum, bare and with the sessions that its users have.

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
use sealed_session::Session;
use sealed_session::adapter::tower::SessionLayer;
use tower_sessions_newest::{MemoryStore, SessionManagerLayer};

use crate::{AXUM_EXTRA, BARE_AXUM, COUNT, HELLO, OURS_AXUM, TOWER_SESSIONS, manager, serves_at};

pub(crate) fn serve(name: &str) {
    let router = match name {
        BARE_AXUM => Router::new().route("/", get(hello)),
        OURS_AXUM => {
            Router::new().route("/", get(hello)).route("/count", get(count)).layer(SessionLayer::new(manager()))
        }
        TOWER_SESSIONS => Router::new()
            .route("/", get(hello))
            .route("/count", get(count_in_tower_sessions))
            .layer(SessionManagerLayer::new(MemoryStore::default())),
        AXUM_EXTRA => Router::new()
            .route("/", get(hello_with_jar))
            .route("/count", get(count_in_jar))
            .with_state(State(Key::generate())),
        _ => unreachable!("the caller knows the names"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        serves_at(listener.local_addr().expect("it has an address"));
        axum::serve(listener, router).await.expect("it serves");
    });
}

async fn hello() -> &'static str {
    HELLO
}

async fn count(session: Session) -> String {
    session.increment(COUNT, 1).expect("a number").to_string()
}

async fn count_in_tower_sessions(session: tower_sessions_newest::Session) -> String {
    let count = session.get::<i64>(COUNT).await.expect("a number").unwrap_or_default() + 1;
    session.insert(COUNT, count).await.expect("it is kept");
    count.to_string()
}

#[derive(Clone)]
struct State(Key);

impl FromRef<State> for Key {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

async fn hello_with_jar(_: PrivateCookieJar) -> &'static str {
    HELLO
}

async fn count_in_jar(jar: PrivateCookieJar) -> (PrivateCookieJar, String) {
    let count = jar.get("s").map_or(0, |cookie| cookie.value().parse::<i64>().expect("a number")) + 1;
    let cookie = Cookie::build(("s", count.to_string()))
        .path("/")
        .secure(true)
        .http_only(true)
        .max_age(cookie::time::Duration::hours(2));
    (jar.add(cookie), count.to_string())
}
