//! Header values, in and out of the session store.

use hyper::Response;
use hyper::header::{CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, SET_COOKIE, VARY};
use sealed_session::{Commit, PendingSession, RequestFacts, ResponseFacts};

use crate::failure::Failure;
use crate::pages::Body;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");

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
    for line in commit.set_cookies {
        let mut value = HeaderValue::try_from(line)?;
        value.set_sensitive(true);
        // Beside the cookies that the page set.
        headers.append(SET_COOKIE, value);
    }
    if commit.add_vary_cookie {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
    if let Some(cache_control) = commit.cache_control {
        headers.insert(CACHE_CONTROL, HeaderValue::try_from(cache_control)?);
    }
    if commit.remove_cdn_cache_control {
        headers.remove(CDN_CACHE_CONTROL);
        headers.remove(SURROGATE_CONTROL);
    }
    Ok(())
}
