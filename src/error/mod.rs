//! Error types. A cookie that does not open is no error: it has a [`Reason`], and the session is empty.
//!
//! An error says what was wrong, where, and the mend. None carries a secret, a cookie value or session data.

mod config;
mod key;
mod key_source;
mod random;
mod reason;
mod session;
mod store;

pub use config::ConfigError;
pub use key::KeyError;
pub use key_source::KeySourceError;
pub use random::RandomError;
pub use reason::Reason;
pub use session::{CommitError, LoadError, SealError, SessionError};
pub use store::StoreError;
