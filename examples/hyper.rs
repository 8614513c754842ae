//! Sessions in hyper, without a framework: a counter, a login and a logout, with forms that no other site can send.
//!
//! Run it with `cargo run --example hyper --features hyper`, or copy it to `src/main.rs`. `Cargo.toml` then has:
//!
//! ```toml
//! [dependencies]
//! form_urlencoded = "1"
//! http-body-util = "0.1"
//! hyper = { version = "1", features = ["http1", "server"] }
//! hyper-util = { version = "0.1", features = ["tokio"] }
//! sealed-session = "0.1"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }
//! ```

use std::collections::HashMap;
use std::env;
use std::error::Error;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use sealed_session::{HeaderEdit, Key, KeyRing, RequestFacts, ResponseFacts, Session, SessionError, SessionManager};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // Keys as `sealed-session keygen` prints them, one a line. Without any, sessions end with the process.
    let keys = env::var("SESSION_KEYS").map_or_else(|_| Key::generate().map(KeyRing::new), |keys| keys.parse())?;
    let manager = SessionManager::builder(keys).audience("example").build()?;
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    loop {
        // An error here is most likely that of too many open connections: some will end.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let manager = manager.clone();
        let service = service_fn(move |request| serve(manager.clone(), request));
        tokio::spawn(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    }
}

/// Begins the session of a request, answers, and commits it into the response: what an adapter does.
async fn serve(
    manager: SessionManager,
    request: Request<Incoming>,
) -> Result<Response<String>, Box<dyn Error + Send + Sync>> {
    let (head, body) = request.into_parts();
    let cookies = head.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let pending = manager.begin(&cookies.fold(RequestFacts::new(), RequestFacts::cookie_header));
    let body = Limited::new(body, 64 * 1024).collect().await?.to_bytes();
    let form = form_urlencoded::parse(&body).into_owned().collect();
    let request = format!("{} {}", head.method, head.uri.path());
    let (mut status, mut page) = match pending.session().await {
        Ok(session) => answer(&request, &form, &session).unwrap_or((500, String::new())),
        Err(error) => (error.status_code(), String::new()),
    };
    let commit = pending.commit(&ResponseFacts::new(status)).await.unwrap_or_else(|failed| {
        // The client must not be told of something that was not written.
        (status, page) = (failed.status_code(), String::new());
        failed.commit
    });
    let response = Response::builder().status(status).header(CONTENT_TYPE, "text/html; charset=utf-8");
    let response = if status == 303 { response.header(LOCATION, "/") } else { response };
    let response = commit.into_header_edits().fold(response, |response, edit| match edit {
        HeaderEdit::Append { name, value } | HeaderEdit::Replace { name, value } => response.header(name, &*value),
        // No field above is one that an edit replaces or removes.
        HeaderEdit::Remove { .. } => response,
    });
    Ok(response.body(page)?)
}

/// A status and a page.
fn answer(request: &str, form: &HashMap<String, String>, session: &Session) -> Result<(u16, String), SessionError> {
    let status = match request {
        "GET /" => return Ok((200, home(session)?)),
        "POST /login" | "POST /logout" if session.verify_csrf(form.get("_csrf").map(String::as_str)).is_err() => 403,
        "POST /login" => {
            // A new id: whoever knew the guest's session gains nothing of the user's.
            session.regenerate_and_reset_lifetime()?;
            session.put("name", form.get("name").map_or("", String::as_str)).map(|()| 303)?
        }
        "POST /logout" => session.destroy().map(|()| 303)?,
        _ => 404,
    };
    Ok((status, String::new()))
}

fn home(session: &Session) -> Result<String, SessionError> {
    let (visits, csrf) = (session.increment("visits", 1)?, session.csrf_token()?);
    let name = session.get_or("name", "guest".to_owned())?.replace('&', "&amp;").replace('<', "&lt;");
    Ok(format!(
        "<!doctype html><title>Visits</title><p>Hello, <b id=name>{name}</b>. Visits: <b id=visits>{visits}</b></p>\
         <form method=post><input type=hidden name=_csrf value=\"{csrf}\"><input name=name> \
         <button formaction=/login>Log in</button> <button formaction=/logout>Log out</button></form>"
    ))
}
