//! What a driver's error means for a session.

use ::redis::{ErrorKind, RedisError};

use super::{STORE, value};
use crate::error::StoreError;

/// What a server answers that is there and will not serve: it is loading, full, failing over, or lets us not in.
const REFUSALS: [&str; 14] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
];

/// What the error is, after so long a wait.
pub(super) fn store_error(error: RedisError, waited_milliseconds: u64) -> StoreError {
    if error.is_timeout() {
        return StoreError::Timeout { store: STORE, waited_milliseconds };
    }
    let is_unavailable = match error.kind() {
        // An answer that was cut off does not parse; the connection is given up like one that was closed.
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::AuthenticationFailed
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::NoValidReplicasFoundBySentinel
        | ErrorKind::EmptySentinelList
        | ErrorKind::ClusterConnectionNotFound => true,
        _ => error.code().is_some_and(|code| REFUSALS.contains(&code)),
    };
    if is_unavailable {
        return StoreError::unavailable(STORE, error);
    }
    // Before version 7, Redis tells a script's error as `ERR Error running script […] WRONGTYPE […]`.
    let is_other_type = error.code() == Some("WRONGTYPE")
        || error.detail().is_some_and(|detail| detail.split_ascii_whitespace().any(|word| word == "WRONGTYPE"));
    if is_other_type {
        return value::not_ours();
    }
    StoreError::other(STORE, error)
}
