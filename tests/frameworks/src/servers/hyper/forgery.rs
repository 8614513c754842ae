//! Requests that another site's page sends in a user's name.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use sealed_session::Session;
use sealed_session::csrf::{CsrfDecision, CsrfFacts, csrf_decision};

use super::failure::Failure;
use super::form::Form;

/// Refuses a form that no page of this site sent. The browser's word for where it comes from is not enough: the form, or a
/// script, also proves itself with a token of the session.
pub(crate) fn refuse(head: &Parts, form: &Form, session: &Session) -> Result<(), Failure> {
    let header = |name: &str| head.headers.get(name).map(HeaderValue::as_bytes);
    let facts = CsrfFacts {
        method: head.method.as_str(),
        token_header: CsrfFacts::TOKEN_HEADERS.into_iter().find_map(header),
        sec_fetch_site: header("sec-fetch-site"),
        origin: header(ORIGIN.as_str()),
        content_type: header(CONTENT_TYPE.as_str()),
        is_websocket: false,
    };
    // Without an origin of its own, the server takes what says `Sec-Fetch-Site`, and else a token.
    match csrf_decision(&facts, &[]) {
        CsrfDecision::VerifyToken(token) => Ok(session.verify_csrf(std::str::from_utf8(token).ok())?),
        CsrfDecision::Pass | CsrfDecision::VerifyField => Ok(session.verify_csrf(form.optional("_csrf"))?),
        _ => Err(Failure(StatusCode::FORBIDDEN)),
    }
}
