//! Header values, in and out of the session store.

use sealed_session::{HeaderEdit, PendingSession, RequestFacts, ResponseFacts};

use super::request::Request;
use super::response::Response;

pub(crate) fn request_facts(request: &Request) -> RequestFacts<'_> {
    let facts = request.headers("cookie").fold(RequestFacts::new(), RequestFacts::cookie_header);
    request.header("sec-fetch-dest").into_iter().fold(facts, RequestFacts::sec_fetch_dest)
}

/// Writes the session into a response whose head is complete. What could not be written takes the response's place: the
/// client must not be told of something that is not so.
pub(crate) fn commit(pending: &PendingSession, response: Response) -> Response {
    let facts = ResponseFacts::new(response.status);
    let facts = response.headers("cache-control").fold(facts, ResponseFacts::cache_control);
    let facts = response.headers("vary").fold(facts, ResponseFacts::vary);
    // No waiting: a store in this process answers at once. `commit` is for those that do not.
    let (commit, response) = match pending.commit_now(&facts) {
        Ok(commit) => (commit, response),
        // A cookie that was saved before is sent with the error.
        Err(failed) => (failed.commit, Response::empty(failed.error.status_code())),
    };
    commit.into_header_edits().fold(response, |response, edit| match edit {
        HeaderEdit::Append { name, value } => response.with(name, value),
        HeaderEdit::Replace { name, value } => response.without(name).with(name, value),
        HeaderEdit::Remove { name } => response.without(name),
    })
}
