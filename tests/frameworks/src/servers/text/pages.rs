//! The routes.

use crate::application::{self, ABOUT, PUBLIC, STREAM, THEME};
use sealed_session::csrf::CsrfError;
use sealed_session::{LoadError, PendingSession, Session, SessionError};

use super::request::Request;
use super::response::Response;
use super::{forgery, form};

/// The sessions of one request, before a page asks for them.
pub(crate) struct Sessions {
    pub(crate) everybody: PendingSession,
    pub(crate) administration: PendingSession,
}

impl Sessions {
    fn everybody(&self) -> Result<Session, LoadError> {
        self.everybody.session_now()
    }

    fn administration(&self) -> Result<Session, LoadError> {
        self.administration.session_now()
    }
}

/// The status that a page fails with: what lies behind it is for a log, and never for the client.
pub(crate) struct Failure(pub(crate) u16);

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self(error.status_code())
    }
}

impl From<CsrfError> for Failure {
    fn from(error: CsrfError) -> Self {
        Self(error.status_code())
    }
}

impl From<SessionError> for Failure {
    fn from(_: SessionError) -> Self {
        Self(500)
    }
}

pub(crate) fn answer(request: &Request, sessions: &Sessions) -> Result<Response, Failure> {
    match request.method.as_str() {
        "GET" => show(&request.path, sessions),
        "POST" => take(request, sessions),
        _ => Err(Failure(405)),
    }
}

fn show(path: &str, sessions: &Sessions) -> Result<Response, Failure> {
    match path {
        "/" => Ok(Response::page(application::home(&sessions.everybody()?)?)),
        "/login" => Ok(Response::page(application::login_form(&sessions.everybody()?)?)),
        "/theme" => {
            let page = Response::page(application::home(&sessions.everybody()?)?);
            Ok(THEME.into_iter().fold(page, |page, line| page.with("Set-Cookie", line)))
        }
        "/prices" => {
            let page = Response::page(application::prices(&sessions.everybody()?)?);
            Ok(page.with("Cache-Control", PUBLIC))
        }
        "/about" => Ok(Response::page(ABOUT).with("Cache-Control", PUBLIC)),
        "/stream" => {
            application::remember_stream(&sessions.everybody()?)?;
            Ok(Response::stream(&STREAM))
        }
        "/fail" => {
            application::count_failure(&sessions.everybody()?)?;
            Err(Failure(500))
        }
        "/panic" => {
            application::count_failure(&sessions.everybody()?)?;
            fall_over()
        }
        "/administration" => {
            let (everybody, administration) = (sessions.everybody()?, sessions.administration()?);
            Ok(Response::page(application::administration(&everybody, &administration)?))
        }
        _ => Err(Failure(404)),
    }
}

fn take(request: &Request, sessions: &Sessions) -> Result<Response, Failure> {
    let path = request.path.as_str();
    let required = |name| form::value(&request.body, name).ok_or(Failure(422));
    let session = match path {
        "/administration" => sessions.administration()?,
        "/login" | "/logout" | "/cart" => sessions.everybody()?,
        _ => return Err(Failure(404)),
    };
    forgery::refuse(request, &session)?;
    match path {
        "/administration" => application::administrator_in(&session, &required("name")?)?,
        "/login" => application::log_in(&session, &required("name")?)?,
        "/logout" => application::log_out(&session)?,
        _ => application::fill_cart(&session, required("bytes")?.parse().map_err(|_| Failure(422))?)?,
    }
    Ok(Response::empty(303).with("Location", if path == "/administration" { path } else { "/" }))
}

#[expect(clippy::panic, reason = "what becomes of the session then")]
fn fall_over() -> Result<Response, Failure> {
    panic!("a page that panics");
}
