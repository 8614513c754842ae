//! Responses: what the core reads of them, what it adds, and those of errors.

use rocket::http::{HeaderMap, Status};
use rocket::response::{self, Responder};
use rocket::{Request, Response};

use crate::error::{CommitError, LoadError, SessionError};
use crate::request::{Commit, HeaderEdit, ResponseFacts};

pub(super) fn response_facts<'a>(status_code: u16, headers: &'a HeaderMap<'_>) -> ResponseFacts<'a> {
    let values = |name| headers.get(name).map(str::as_bytes);
    let facts = values("Cache-Control").fold(ResponseFacts::new(status_code), ResponseFacts::cache_control);
    values("Vary").fold(facts, ResponseFacts::vary)
}

/// Puts the session's headers beside those of the handler.
///
/// Rocket looks at no value; a line that is no header value would end the connection without a response.
pub(super) fn apply(commit: Commit, response: &mut Response<'_>) {
    for edit in commit.into_header_edits() {
        match edit {
            HeaderEdit::Append { name, value } => response.adjoin_raw_header(name, value),
            HeaderEdit::Replace { name, value } => drop(response.set_raw_header(name, value)),
            HeaderEdit::Remove { name } => response.remove_header(name),
        }
    }
}

/// A response of this status, without headers and body.
pub(super) fn empty<'r>(status_code: u16) -> Response<'r> {
    let mut response = Response::new();
    response.set_status(Status::new(status_code));
    response
}

/// Lets handlers use `?` on a session's calls: 500 with an empty body, the details are for the log.
// `Ok` also of a failure, here and below: a catcher would answer `Err` with a page.
impl<'r> Responder<'r, 'static> for SessionError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(empty(500))
    }
}

/// 503 with an empty body.
impl<'r> Responder<'r, 'static> for LoadError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(empty(self.status_code()))
    }
}

/// 503, 409 or 500 with an empty body.
impl<'r> Responder<'r, 'static> for CommitError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(empty(self.status_code()))
    }
}
