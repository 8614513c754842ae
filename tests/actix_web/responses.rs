//! What a response gets of its session.

use std::sync::{Arc, Mutex};

use actix_web::http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use actix_web::{App, HttpResponse, web};
use sealed_session::{Session, SessionError};

use crate::support::{middleware, open};

async fn visit(session: Session) -> Result<HttpResponse, SessionError> {
    session.increment("visits", 1)?;
    let mut response = HttpResponse::Ok();
    response.append_header((SET_COOKIE, "theme=dark")).append_header((SET_COOKIE, "font=large"));
    response.insert_header((VARY, "Accept-Language")).insert_header((CACHE_CONTROL, "public, max-age=60"));
    response.insert_header(("CDN-Cache-Control", "max-age=600")).insert_header(("Surrogate-Control", "max-age=600"));
    Ok(response.finish())
}

#[test]
fn the_sessions_cookie_is_marked_as_sensitive_and_the_handlers_stay() {
    let answer = open(App::new().wrap(middleware()).route("/", web::get().to(visit)), "/", "");
    let marked = |start: &str| answer.lines.iter().find(|(line, _)| line.starts_with(start)).map(|(_, marked)| *marked);
    assert_eq!(answer.lines.len(), 3);
    assert_eq!((marked("__Host-session="), marked("theme="), marked("font=")), (Some(true), Some(false), Some(false)));
}

#[test]
fn headers_of_caches_are_appended_to_replaced_and_removed() {
    let answer = open(App::new().wrap(middleware()).route("/", web::get().to(visit)), "/", "");
    assert_eq!(answer.values("vary"), ["Accept-Language", "Cookie"]);
    assert_eq!(answer.values("cache-control"), ["private, max-age=60"]);
    assert!(answer.values("cdn-cache-control").is_empty());
    assert!(answer.values("surrogate-control").is_empty());
}

#[test]
fn a_write_behind_the_response_head_is_an_error_to_its_writer() {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = move |session: Session| {
        *keep.lock().unwrap() = Some(session);
        std::future::ready("done")
    };
    open(App::new().wrap(middleware()).route("/", web::get().to(handler)), "/", "");
    let session: Session = kept.lock().unwrap().take().unwrap();
    assert!(matches!(session.put("late", &1), Err(SessionError::Committed)), "{:?}", session.put("late", &1));
}
