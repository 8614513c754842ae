//! Header values of actix-web, which are of `http` 0.2, in and out of the core.

use std::borrow::Cow;

use actix_web::http::header::{CACHE_CONTROL, COOKIE, HeaderMap, HeaderValue, InvalidHeaderValue, SET_COOKIE, VARY};

use crate::request::{Commit, RequestFacts, ResponseFacts};

// RFC 9213, and its forerunner: both outrank `Cache-Control` where they are understood.
const CDN_CACHE_CONTROL: [&str; 2] = ["cdn-cache-control", "surrogate-control"];

// Security: the fields as they came. The framework's own cookies are percent-decoded, so another name can pass for ours, and
// one neighbour that it cannot read hides them all.
pub(super) fn request_facts(headers: &HeaderMap) -> RequestFacts<'_> {
    let cookies = headers.get_all(COOKIE).map(HeaderValue::as_bytes);
    let facts = cookies.fold(RequestFacts::new(), RequestFacts::cookie_header);
    match headers.get("sec-fetch-dest") {
        Some(dest) => facts.sec_fetch_dest(dest.as_bytes()),
        None => facts,
    }
}

pub(super) fn response_facts(status: u16, headers: &HeaderMap) -> ResponseFacts<'_> {
    let values = |name| headers.get_all(name).map(HeaderValue::as_bytes);
    let facts = values(CACHE_CONTROL).fold(ResponseFacts::new(status), ResponseFacts::cache_control);
    values(VARY).fold(facts, ResponseFacts::vary)
}

/// Puts the session's headers beside those of the handler.
///
/// # Errors
///
/// When a cookie is no header value: the response must not be sent as if the session had been written.
pub(super) fn apply(commit: Commit, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    for line in commit.set_cookies {
        let mut value = HeaderValue::try_from(line)?;
        // Security: kept out of header compression's tables and of debug output.
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
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
        for name in CDN_CACHE_CONTROL {
            headers.remove(name);
        }
    }
    Ok(())
}
