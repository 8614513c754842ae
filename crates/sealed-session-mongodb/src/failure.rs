//! The driver's errors as the store's.

use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::STORE;
use sealed_session::store::StoreError;

/// The server's code for a second document of one `_id`.
const DUPLICATE_KEY: i32 = 11_000;

pub(crate) fn is_duplicate_key(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY)
}

/// Security: of what the server says, its code and the code's name. Its messages repeat filters and documents.
pub(crate) fn store_error(error: Error) -> StoreError {
    match &*error.kind {
        // `RetryableWriteError`: the server is on its way up, down, or to another primary.
        ErrorKind::Command(failure) if error.contains_label("RetryableWriteError") => {
            StoreError::unavailable(STORE, refused(failure.code, &failure.code_name))
        }
        ErrorKind::Command(failure) => StoreError::other(STORE, refused(failure.code, &failure.code_name)),
        ErrorKind::Write(WriteFailure::WriteError(failure)) => {
            StoreError::other(STORE, refused(failure.code, failure.code_name.as_deref().unwrap_or_default()))
        }
        // Written, and perhaps not for good.
        ErrorKind::Write(WriteFailure::WriteConcernError(failure)) => {
            let code = refused(failure.code, &failure.code_name);
            StoreError::unavailable(STORE, format!("not acknowledged by a majority: {code}"))
        }
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::Shutdown => StoreError::unavailable(STORE, error),
        ErrorKind::Bson(_) | ErrorKind::BsonDeserialization(_) | ErrorKind::InvalidResponse { .. } => {
            StoreError::Corrupt { store: STORE, problem: "the server's answer is no document of this store".to_owned() }
        }
        _ => StoreError::other(STORE, error),
    }
}

fn refused(code: i32, name: &str) -> String {
    let name = if name.is_empty() { "no name" } else { name };
    format!("the server refused: error code {code} ({name})")
}
