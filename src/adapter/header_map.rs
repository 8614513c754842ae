//! Header values of `http` 1, in and out of the core.

use std::borrow::Cow;

use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, InvalidHeaderValue, ORIGIN, SET_COOKIE, UPGRADE, VARY,
};
use http::{HeaderValue, Method};

use super::csrf::{GuardSettings, RequestCheck, is_websocket};
use crate::csrf::CsrfFacts;
use crate::request::{Commit, HeaderEdit, RequestFacts, ResponseFacts};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(crate) fn request_facts(headers: &HeaderMap) -> RequestFacts<'_> {
    let facts = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .fold(RequestFacts::new(), RequestFacts::cookie_header);
    match headers.get(SEC_FETCH_DEST) {
        Some(dest) => facts.sec_fetch_dest(dest.as_bytes()),
        None => facts,
    }
}

/// Reads for a guard what decides about a request.
pub(crate) fn check(settings: &GuardSettings, method: &Method, headers: &HeaderMap) -> RequestCheck {
    let first = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    let facts = CsrfFacts {
        method: method.as_str(),
        token_header: token_header(headers),
        sec_fetch_site: first(SEC_FETCH_SITE),
        origin: first(ORIGIN),
        content_type: content_type(headers),
        is_websocket: is_websocket(headers.get_all(UPGRADE).iter().map(HeaderValue::as_bytes)),
    };
    settings.read(&facts, headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes))
}

pub(crate) fn content_type(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes)
}

/// The header in which scripts send a token.
pub(crate) fn token_header(headers: &HeaderMap) -> Option<&[u8]> {
    CsrfFacts::TOKEN_HEADERS.into_iter().find_map(|name| headers.get(name).map(HeaderValue::as_bytes))
}

pub(crate) fn response_facts(status: u16, headers: &HeaderMap) -> ResponseFacts<'_> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let facts = values(CACHE_CONTROL).fold(ResponseFacts::new(status), ResponseFacts::cache_control);
    values(VARY).fold(facts, ResponseFacts::vary)
}

/// Puts the session's headers beside those of the handler.
///
/// # Errors
///
/// When a cookie is no header value: the response must not be sent as if the session had been written.
pub(crate) fn apply(commit: Commit, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    for edit in commit.into_header_edits() {
        match edit {
            HeaderEdit::Append { name, value } => drop(headers.append(name, header_value(name, value)?)),
            HeaderEdit::Replace { name, value } => drop(headers.insert(name, header_value(name, value)?)),
            HeaderEdit::Remove { name } => drop(headers.remove(name)),
        }
    }
    Ok(())
}

fn header_value(name: &str, value: Cow<'static, str>) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header_value = match value {
        Cow::Borrowed(value) => HeaderValue::from_static(value),
        Cow::Owned(value) => HeaderValue::try_from(value)?,
    };
    // Security: kept out of header compression's tables and of debug output.
    header_value.set_sensitive(name == SET_COOKIE.as_str());
    Ok(header_value)
}

/// Appends a line of `Set-Cookie`.
///
/// # Errors
///
/// When it is no header value.
pub(crate) fn append_cookie(line: String, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    headers.append(SET_COOKIE, header_value(SET_COOKIE.as_str(), line.into())?);
    Ok(())
}
