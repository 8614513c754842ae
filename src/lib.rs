//! Stateless sessions: the data in one encrypted cookie, and in a server store when it outgrows the cookie.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod crypto;
mod error;
mod id;
pub mod limits;
mod session;
pub mod store;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use crypto::Suite;
pub use error::{
    CommitError, ConfigError, KeyError, LoadError, RandomError, Reason, SealError, SessionError, StoreError,
};
pub use id::{KeyId, PublicId, RecordId};
pub use session::{Amount, Path};
pub use store::{Record, RecordStore};
