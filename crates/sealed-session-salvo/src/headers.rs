//! Header values, in and out of the session.

use salvo_core::http::header::{CACHE_CONTROL, COOKIE, InvalidHeaderValue, VARY};
use salvo_core::http::{HeaderMap, HeaderValue};
use sealed_session::{Commit, HeaderEdit, RequestFacts, ResponseFacts};

// Security: the fields as they came. The framework's own jar decodes cookies, and keeps one of each name.
pub(crate) fn request_facts(headers: &HeaderMap) -> RequestFacts<'_> {
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let facts = cookies.fold(RequestFacts::new(), RequestFacts::cookie_header);
    match headers.get("sec-fetch-dest") {
        Some(dest) => facts.sec_fetch_dest(dest.as_bytes()),
        None => facts,
    }
}

pub(crate) fn response_facts(status_code: u16, headers: &HeaderMap) -> ResponseFacts<'_> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let facts = values(CACHE_CONTROL).fold(ResponseFacts::new(status_code), ResponseFacts::cache_control);
    values(VARY).fold(facts, ResponseFacts::vary)
}

/// Makes the edits that a commit asks for.
///
/// # Errors
///
/// When a cookie is no header value: the response must not be sent as if the session had been written.
pub(crate) fn apply(commit: Commit, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
    for edit in commit.into_header_edits() {
        match edit {
            HeaderEdit::Append { name, value } => drop(headers.append(name, header_value(name, &value)?)),
            HeaderEdit::Replace { name, value } => drop(headers.insert(name, header_value(name, &value)?)),
            HeaderEdit::Remove { name } => drop(headers.remove(name)),
        }
    }
    Ok(())
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut header_value = HeaderValue::try_from(value)?;
    // Security: kept out of header compression's tables and of debug output.
    header_value.set_sensitive(name == "set-cookie");
    Ok(header_value)
}
