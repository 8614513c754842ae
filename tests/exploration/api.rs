//! The few calls of the crate whose form may change, each in one place.

use sealed_session::{PendingSession, ResponseFacts, Session};

/// Status 200, or the status of the error that took its place.
pub(crate) type Status = u16;

pub(crate) const OK: Status = 200;

/// Commits with a response of this status. What it became, and the `Set-Cookie` values that go out with it: an error's own
/// included.
pub(crate) async fn commit(pending: &PendingSession, status: Status) -> (Status, Vec<String>) {
    match pending.commit(&ResponseFacts::new(status)).await {
        Ok(commit) => (status, commit.set_cookies),
        Err(failed) => (failed.status_code(), failed.commit.set_cookies),
    }
}

pub(crate) async fn save(session: &Session) -> Result<(), Status> {
    session.save().await.map_err(|error| error.status_code())
}

pub(crate) async fn load(pending: &PendingSession) -> Result<Session, Status> {
    pending.session().await.map_err(|error| error.status_code())
}

/// Ends the session that the request came with, without reading it.
pub(crate) fn end(pending: &PendingSession) -> Result<(), Status> {
    pending.end().map(drop).map_err(|_| 500)
}
