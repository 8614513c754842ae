//! Stateless sessions: the data in one encrypted cookie, and in a server store when it outgrows the cookie.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "tests make small numbers of small numbers"))]

mod clock;
pub mod cookie;
mod crypto;
mod driver;
mod error;
mod events;
mod id;
mod key;
pub mod limits;
mod overflow;
mod seal;
mod session;
pub mod store;
mod wire;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use crypto::Suite;
pub use driver::{
    Commit, CookieStore, CookieStoreBuilder, PendingSession, Renewal, RequestFacts, ResponseFacts, StoreFailure,
};
pub use error::{
    CommitError, ConfigError, CsrfError, KeyError, LoadError, RandomError, Reason, SealError, SessionError, StoreError,
};
pub use events::{Event, Observer};
pub use id::{KeyId, PublicId, RecordId};
pub use key::{Key, KeyRing, RingHandle};
pub use overflow::Placement;
pub use seal::{Lifetimes, Opened, Sealer, SealerBuilder};
pub use session::{Amount, Path, Session, object_from_json};
pub use store::{Record, RecordStore};
