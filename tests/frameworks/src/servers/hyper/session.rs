//! Header values, in and out of the session store.

use hyper::Response;
use hyper::header::{CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, VARY};
use sealed_session::{Commit, HeaderEdit, PendingSession, RequestFacts, ResponseFacts};

use super::failure::Failure;
use super::pages::Body;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Every field of `Cookie`, as bytes: a neighbour's cookie may be no text.
pub(crate) fn request_facts(headers: &HeaderMap) -> RequestFacts<'_> {
    let cookies = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    let facts = cookies.fold(RequestFacts::new(), RequestFacts::cookie_header);
    match headers.get(SEC_FETCH_DEST) {
        Some(dest) => facts.sec_fetch_dest(dest.as_bytes()),
        None => facts,
    }
}

/// Writes the session into a response whose head is complete. What could not be written takes the response's place: the
/// client must not be told of something that is not so.
pub(crate) async fn commit(pending: &PendingSession, mut response: Response<Body>) -> Response<Body> {
    let committed = {
        let facts = response_facts(response.status().as_u16(), response.headers());
        pending.commit(&facts).await
    };
    let written = match committed {
        Ok(commit) => apply(commit, response.headers_mut()).map_err(Failure::from),
        Err(failed) => {
            response = Failure::from(failed.error).response();
            // A cookie that was saved before is sent with the error.
            apply(failed.commit, response.headers_mut()).map_err(Failure::from)
        }
    };
    match written {
        Ok(()) => response,
        Err(failure) => failure.response(),
    }
}

fn response_facts(status: u16, headers: &HeaderMap) -> ResponseFacts<'_> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let facts = values(CACHE_CONTROL).fold(ResponseFacts::new(status), ResponseFacts::cache_control);
    values(VARY).fold(facts, ResponseFacts::vary)
}

fn apply(commit: Commit, headers: &mut HeaderMap) -> Result<(), InvalidHeaderValue> {
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
    header_value.set_sensitive(name == "set-cookie");
    Ok(header_value)
}
