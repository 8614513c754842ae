//! What a driver's error means for a session.

use redis::{ErrorKind, RedisError};

use crate::{STORE, value};
use sealed_session::store::StoreError;

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
pub(crate) fn store_error(error: RedisError, waited_milliseconds: u64) -> StoreError {
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

#[cfg(test)]
mod tests {
    use std::io;

    use redis::parse_redis_value;

    use super::*;

    /// What a connection returns when the server answers with this line.
    fn answered(line: &str) -> StoreError {
        let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        store_error(value.extract_error().unwrap_err(), 7)
    }

    #[test]
    fn a_server_that_will_not_serve_is_unavailable() {
        for line in [
            "LOADING Redis is loading the dataset in memory",
            "CLUSTERDOWN The cluster is down",
            "MASTERDOWN Link with MASTER is down",
            "READONLY You can't write against a read only replica.",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "MISCONF Redis is configured to save RDB snapshots",
            "NOREPLICAS Not enough good replicas to write.",
            "NOAUTH Authentication required.",
            "NOPERM this user has no permissions",
            "BUSY Redis is busy running a script.",
        ] {
            let error = answered(line);
            assert!(matches!(error, StoreError::Unavailable { store: "redis", .. }), "{line}: {error:?}");
        }
    }

    #[test]
    fn a_connection_that_fails_or_breaks_off_is_unavailable() {
        let broken = [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof];
        let broken = broken.map(|kind| RedisError::from(io::Error::from(kind)));
        let cut_off = parse_redis_value(b":1").unwrap_err();
        for error in broken.into_iter().chain([cut_off]) {
            let error = store_error(error, 7);
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    }

    #[test]
    fn a_late_answer_is_a_timeout_of_so_long_a_wait() {
        let error = store_error(io::Error::from(io::ErrorKind::TimedOut).into(), 250);
        assert_eq!(error.to_string(), "redis: no answer within 250 ms");
    }

    #[test]
    fn a_key_of_another_type_is_no_record_in_either_form_of_the_answer() {
        for line in [
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "ERR Error running script (call to f_0123): @user_script:1: WRONGTYPE Operation against a key",
        ] {
            let error = answered(line);
            assert!(matches!(error, StoreError::Corrupt { .. }), "{line}: {error:?}");
        }
    }

    #[test]
    fn whatever_else_a_server_says_is_passed_on() {
        let error = answered("ERR unknown command 'EVAL'");
        assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
        assert!(error.to_string().contains("unknown command"), "{error}");
    }
}
