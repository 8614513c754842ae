//! Error types. A cookie that does not open is no error: it has a [`Reason`], and the session is empty.
//!
//! An error says what was wrong, where, and the mend. None carries a secret, a cookie value or session data.

mod config;
mod key;
mod reason;
mod session;

pub use config::ConfigError;
pub use key::{KeyError, KeySourceError};
pub use reason::Reason;
pub use session::{CommitError, LoadError, RandomError, SealError, SessionError, StoreError};
