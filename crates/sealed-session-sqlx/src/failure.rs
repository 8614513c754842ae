//! `sqlx`'s errors as the store's.

use sqlx::{Error, Pool};

use crate::engine::{Engine, ErrorClass};
use sealed_session::store::StoreError;

pub(crate) fn class<DB: Engine>(error: &Error) -> ErrorClass {
    match error {
        Error::Database(error) => DB::class(error.as_ref()),
        Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => ErrorClass::Unavailable,
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. } => ErrorClass::Corrupt,
        _ => ErrorClass::Other,
    }
}

pub(crate) fn store_error<DB: Engine>(error: Error, pool: &Pool<DB>) -> StoreError {
    if matches!(error, Error::PoolTimedOut) {
        let waited = pool.options().get_acquire_timeout().as_millis();
        return StoreError::Timeout {
            store: DB::STORE,
            waited_milliseconds: u64::try_from(waited).unwrap_or(u64::MAX),
        };
    }
    match class::<DB>(&error) {
        ErrorClass::TryAgain | ErrorClass::Unavailable => StoreError::unavailable(DB::STORE, error),
        ErrorClass::Corrupt => corrupt::<DB>(error.to_string()),
        ErrorClass::NoTable => StoreError::other(
            DB::STORE,
            format!("{error}: call `SqlStore::create_table`, or run what `SqlStore::migration` prints"),
        ),
        ErrorClass::Other => StoreError::other(DB::STORE, error),
    }
}

pub(crate) fn corrupt<DB: Engine>(problem: String) -> StoreError {
    StoreError::Corrupt { store: DB::STORE, problem }
}
