//! Sessions over text alone, without a framework and without async: a counter, a login and a logout, with forms that no other
//! site can send. The HTTP is as small as browsers allow; it shows sessions, and is no server for the open internet.
//!
//! Run it with `cargo run --example text --features text`, or copy it to `src/main.rs`. `Cargo.toml` then has:
//!
//! ```toml
//! [dependencies]
//! form_urlencoded = "1"
//! sealed-session = "0.1"
//! ```

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use sealed_session::{HeaderEdit, Key, KeyRing, RequestFacts, ResponseFacts, Session, SessionError, SessionManager};

fn main() -> Result<(), Box<dyn Error>> {
    // Keys as `sealed-session keygen` prints them, one a line. Without any, sessions end with the process.
    let keys = env::var("SESSION_KEYS").map_or_else(|_| Key::generate().map(KeyRing::new), |keys| keys.parse())?;
    let manager = SessionManager::builder(keys).audience("example").build()?;
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    loop {
        // An error here is most likely that of too many open connections: some will end.
        let Ok((stream, _)) = listener.accept() else { continue };
        let manager = manager.clone();
        thread::spawn(move || serve(&manager, &stream).ok());
    }
}

/// Begins the session of a request, answers, and commits it into the response: what an adapter does.
fn serve(manager: &SessionManager, mut stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.take(64 * 1024));
    let (mut head, mut body) = (Vec::new(), Vec::new());
    while !head.ends_with(b"\r\n\r\n") && reader.read_until(b'\n', &mut head)? > 0 {}
    let head = String::from_utf8_lossy(&head);
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let values =
        |name| fields.clone().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let length = values("content-length").find_map(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut body)?;

    let facts = values("cookie").map(str::as_bytes).fold(RequestFacts::new(), RequestFacts::cookie_header);
    let pending = manager.begin(&facts);
    let form = form_urlencoded::parse(&body).into_owned().collect();
    let request = head.split(" HTTP/1").next().unwrap_or_default();
    let (mut status, mut page) = match pending.session_now() {
        Ok(session) => answer(request, &form, &session).unwrap_or((500, String::new())),
        Err(error) => (error.status_code(), String::new()),
    };
    let commit = pending.commit_now(&ResponseFacts::new(status)).unwrap_or_else(|failed| {
        // The client must not be told of something that was not written.
        (status, page) = (failed.status_code(), String::new());
        failed.commit
    });
    let location = if status == 303 { "Location: /\r\n" } else { "" };
    write!(stream, "HTTP/1.1 {status} \r\nConnection: close\r\nContent-Length: {}\r\n{location}", page.len())?;
    for edit in commit.into_header_edits() {
        // No field above is one that an edit replaces or removes.
        if let HeaderEdit::Append { name, value } | HeaderEdit::Replace { name, value } = edit {
            write!(stream, "{name}: {value}\r\n")?;
        }
    }
    write!(stream, "Content-Type: text/html; charset=utf-8\r\n\r\n{page}")
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
