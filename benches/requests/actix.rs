//! actix-web, bare and with the sessions that its users have.

use actix_session::storage::CookieSessionStore;
use actix_web::cookie::Key;
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use sealed_session::Session;
use sealed_session::adapter::actix_web::SessionMiddleware;

use crate::{ACTIX_SESSION, BARE_ACTIX, COUNT, HELLO, OURS_ACTIX, manager, serves_at};

/// A server with one worker, on a free port.
macro_rules! serve {
    ($application:expr) => {
        System::new().block_on(async move {
            let server = HttpServer::new($application).workers(1).bind(("127.0.0.1", 0)).expect("a port is free");
            serves_at(server.addrs()[0]);
            server.run().await.expect("it serves");
        })
    };
}

pub(crate) fn serve(name: &str) {
    match name {
        BARE_ACTIX => serve!(|| App::new().route("/", web::get().to(hello))),
        OURS_ACTIX => {
            let sessions = SessionMiddleware::new(manager());
            serve!(move || {
                App::new().route("/", web::get().to(hello)).route("/count", web::get().to(count)).wrap(sessions.clone())
            });
        }
        ACTIX_SESSION => {
            let key = Key::generate();
            serve!(move || {
                let sessions = actix_session::SessionMiddleware::new(CookieSessionStore::default(), key.clone());
                App::new()
                    .route("/", web::get().to(hello))
                    .route("/count", web::get().to(count_in_actix_session))
                    .wrap(sessions)
            });
        }
        _ => unreachable!("the caller knows the names"),
    }
}

async fn hello() -> &'static str {
    HELLO
}

async fn count(session: Session) -> String {
    session.increment(COUNT, 1).expect("a number").to_string()
}

async fn count_in_actix_session(session: actix_session::Session) -> String {
    let count = session.get::<i64>(COUNT).expect("a number").unwrap_or_default() + 1;
    session.insert(COUNT, count).expect("it is a number");
    count.to_string()
}
