//! Header values of `http` 1, in and out of the core.

use std::borrow::Cow;

use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, InvalidHeaderValue, ORIGIN, SET_COOKIE, UPGRADE, VARY,
};
use http::{HeaderValue, Method};

use super::csrf::{GuardSettings, RequestCheck, is_websocket};
use crate::csrf::CsrfFacts;
use crate::request::{Commit, RequestFacts, ResponseFacts};

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
// RFC 9213, and its forerunner: both outrank `Cache-Control` where they are understood.
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

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
    for line in commit.set_cookies {
        append_cookie(line, headers)?;
    }
    if commit.add_vary_cookie {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(cache_control) = commit.cache_control {
        let value = match cache_control {
            Cow::Borrowed(value) => HeaderValue::from_static(value),
            Cow::Owned(value) => HeaderValue::try_from(value)?,
        };
        headers.insert(CACHE_CONTROL, value);
    }
    if commit.remove_cdn_cache_control {
        headers.remove(CDN_CACHE_CONTROL);
        headers.remove(SURROGATE_CONTROL);
    }
    Ok(())
}

/// Appends a line of `Set-Cookie`.
///
/// # Errors
///
/// When it is no header value.
pub(crate) fn append_cookie(line: String, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(line)?;
    // Security: kept out of header compression's tables and of debug output.
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
    Ok(())
}
