//! Requests that another site's page sends in a user's name.

use sealed_session::Session;
use sealed_session::csrf::{CsrfDecision, CsrfFacts, csrf_decision};

use super::form;
use super::pages::Failure;
use super::request::Request;

/// Refuses a form that no page of this site sent. The browser's word for where it comes from is not enough: the form, or a
/// script, also proves itself with a token of the session.
pub(crate) fn refuse(request: &Request, session: &Session) -> Result<(), Failure> {
    let facts = CsrfFacts {
        method: &request.method,
        token_header: CsrfFacts::TOKEN_HEADERS.into_iter().find_map(|name| request.header(name)),
        sec_fetch_site: request.header("sec-fetch-site"),
        origin: request.header("origin"),
        content_type: request.header("content-type"),
        is_websocket: false,
    };
    // Without an origin of its own, the server takes what says `Sec-Fetch-Site`, and else a token.
    match csrf_decision(&facts, &[]) {
        CsrfDecision::VerifyToken(token) => Ok(session.verify_csrf(std::str::from_utf8(token).ok())?),
        CsrfDecision::Pass | CsrfDecision::VerifyField => {
            Ok(session.verify_csrf(form::value(&request.body, "_csrf").as_deref())?)
        }
        _ => Err(Failure(403)),
    }
}
