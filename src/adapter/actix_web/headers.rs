//! Header values of actix-web, which are of `http` 0.2, in and out of the core.

use std::borrow::Cow;

use actix_web::http::header::{
    CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, SET_COOKIE, VARY,
};

use crate::request::{Commit, HeaderEdit, RequestFacts, ResponseFacts};

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
    for edit in commit.into_header_edits() {
        let name = HeaderName::from_static(edit.name());
        match edit {
            HeaderEdit::Append { value, .. } => headers.append(name.clone(), header_value(&name, value)?),
            HeaderEdit::Replace { value, .. } => drop(headers.insert(name.clone(), header_value(&name, value)?)),
            HeaderEdit::Remove { .. } => drop(headers.remove(name)),
        }
    }
    Ok(())
}

fn header_value(name: &HeaderName, value: Cow<'static, str>) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header_value = match value {
        Cow::Borrowed(value) => HeaderValue::from_static(value),
        Cow::Owned(value) => HeaderValue::try_from(value)?,
    };
    // Security: kept out of header compression's tables and of debug output.
    header_value.set_sensitive(name == SET_COOKIE);
    Ok(header_value)
}
