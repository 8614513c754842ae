//! Stateless sessions: the data in one encrypted cookie, and in a server store when it outgrows the cookie.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
pub mod cookie;
mod crypto;
mod error;
mod id;
mod key;
pub mod limits;
mod seal;
pub mod store;
mod wire;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use crypto::Suite;
pub use error::{
    CommitError, ConfigError, KeyError, LoadError, RandomError, Reason, SealError, SessionError, StoreError,
};
pub use id::{KeyId, PublicId, RecordId};
pub use key::{Key, KeyRing, RingHandle};
pub use seal::{Lifetimes, Opened, Sealer, SealerBuilder};
pub use store::{Record, RecordStore};
