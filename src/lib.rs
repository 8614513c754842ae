//! Sessions in one encrypted cookie, and in a server store when they outgrow it.
//!
//! - [`SessionManager`] is what an application or a framework builds once: keys, cookie, lifetimes, placement, store.
//! - [`Session`] is what a handler holds: data under paths, a new id at login, an end at logout.
//! - [`adapter`] puts the two together, one module for each framework; without a framework, three calls do:
//!   [`SessionManager::begin`], [`PendingSession::session`], [`PendingSession::commit`].
//! - [`adapter::tower`](crate::adapter) has a guard against forged requests, too.
//! - [`testing`] is for the tests of applications: a browser's cookies, a store that fails on demand.
//! - [`Sealer`] seals and opens cookies outside of a request.
//! - [`guide`] has the reasons, the threat model, and every byte.
//!
//! ```
//! use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
//!
//! # pollster::block_on(async {
//! let store = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
//!
//! let pending = store.begin(&RequestFacts::new().cookie_header(b"theme=dark"));
//! let session = pending.session().await?;
//! session.put("user.name", "Zoë")?;
//!
//! let commit = pending.commit(&ResponseFacts::new(200)).await?;
//! assert!(commit.set_cookies[0].starts_with("__Host-session="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `memory` (default) | `store::MemoryStore`, for one process |
//! | `aws-lc-rs` | the ciphers of AWS-LC in place of RustCrypto's: the same cookies; needs a C compiler |
//! | `redis` | `store::RedisStore`, a server store in Redis or Valkey |
//! | `file` | `store::FileStore`, for one machine: sessions survive a restart |
//! | `sqlite`, `postgres`, `mysql` | `store::SqlStore`, in a table of SQLite, PostgreSQL, or MySQL and MariaDB; needs Rust 1.94 and tokio |
//! | `dynamodb` | `store::DynamoDbStore`, in a table of DynamoDB; needs Rust 1.94.1 and tokio |
//! | `mongodb` | `store::MongoDbStore`, in a collection of MongoDB; needs tokio |
//! | `tower` | `adapter::tower::SessionLayer` and the guard `CsrfLayer`, for any tower service over `http` 1 |
//! | `axum` | extractors for axum 0.8: [`Session`], typed sessions, flash, forms with a CSRF token; and `tower` |
//! | `poem` | `adapter::poem::SessionMiddleware`, the guard `CsrfMiddleware` and extractors, for poem 3 |
//! | `actix-web` | `adapter::actix_web::SessionMiddleware`, the guard `CsrfMiddleware` and extractors, for actix-web 4 |
//! | `rocket` | `adapter::rocket::SessionFairing`, the guard `CsrfFairing` and guards of handlers, for Rocket 0.5 |
//! | `tracing` | `adapter::tracing::TracingObserver`, which tells what happens to sessions |
//! | `tokio` | `adapter::tokio::TokioTimer`, for time limits of store calls |
//! | `config` | `Config`: the settings, read from TOML, JSON and environment variables |
//! | `conformance` | `store::conformance`, the store contract as a test suite: for `[dev-dependencies]` |
//!
//! A feature never changes behaviour. All but `aws-lc-rs` add API.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "tests make small numbers of small numbers"))]

pub mod adapter;
mod clock;
#[cfg(feature = "config")]
mod config;
pub mod cookie;
mod crypto;
mod error;
mod events;
mod facts;
pub mod guide;
mod id;
mod key;
pub mod key_source;
pub mod limits;
mod manager;
mod records;
mod request;
mod seal;
mod session;
mod settings;
pub mod store;
pub mod testing;
mod wipe;
mod wire;

pub use clock::{Clock, ManualClock, SystemClock, Timer, Timestamp, Wait};
#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub use config::{Config, KeyOrigin, Stores};
pub use crypto::Suite;
pub use error::{
    CommitError, ConfigError, CsrfError, KeyError, KeySourceError, LoadError, RandomError, Reason, SealError,
    SessionError, StoreError,
};
pub use events::{CounterSnapshot, Counters, Event, Observer};
pub use id::{KeyId, PublicId, RecordId};
pub use key::{
    Key, KeyReport, KeyRing, KeyState, KeyStatus, RingEntry, RingHandle, RingMarks, RingText, RotationSettings,
};
pub use manager::{Health, SessionManager, SessionManagerBuilder};
pub use request::{Commit, FailedCommit, HeaderEdit, PendingSession, RequestFacts, ResponseFacts};
pub use seal::{CookieLengths, EnvelopeFacts, Inspection, Lifetimes, Opened, Sealer, SealerBuilder, member_sizes};
pub use session::{
    Amount, CsrfDecision, CsrfFacts, FlashMessages, Path, Session, SizeReport, csrf_decision, object_from_json,
};
pub use settings::{Placement, Renewal, StoreFailure, TooLarge};
pub use store::{Record, RecordStore};

/// The JSON types in which a session hands out its data as a whole.
pub use serde_json::{Map, Number, Value};

/// The README's examples compile and run.
#[cfg(all(doctest, feature = "axum", feature = "config"))]
#[doc = include_str!("../README.md")]
mod readme {}
