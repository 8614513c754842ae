//! Sessions in one encrypted cookie, and in a server store when they outgrow it.
//!
//! - [`SessionManager`] is what an application or a framework builds once: keys, cookie, lifetimes, placement, store.
//! - [`Session`] is what a handler holds: data under paths, a new id at login, an end at logout.
//! - [`adapter`] puts the two together, one module for each framework; without a framework, three calls do:
//!   [`SessionManager::begin`], [`PendingSession::session`], [`PendingSession::commit`].
//! - [`adapter::tower`](crate::adapter) has a guard against forged requests, too.
//! - [`testing`] is for the tests of applications: a browser's cookies, a store that fails on demand.
//! - [`sealer::Sealer`] seals and opens cookies outside of a request.
//! - [`operator`] has what tools for operators look at, and [`csrf`] what a guard decides.
//! - [`guide`] has the reasons, the threat model, and every byte.
//!
//! ```
//! use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
//!
//! # pollster::block_on(async {
//! let manager = SessionManager::builder(Key::generate()?).audience("example-app/prod").build()?;
//!
//! let pending = manager.begin(&RequestFacts::new().cookie_header(b"theme=dark"));
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
//! | `file` | `store::FileStore`, for one machine: sessions survive a restart |
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
//!
//! # The family
//!
//! What only implements the store contract, or another crate's, is a crate over this one's public API, of the same version:
//!
//! | crate | has |
//! |---|---|
//! | `sealed-session-redis` | `RedisStore`, a server store in Redis or Valkey |
//! | `sealed-session-sqlx` | `SqlStore`, in a table of SQLite, PostgreSQL, or MySQL and MariaDB |
//! | `sealed-session-dynamodb` | `DynamoDbStore`, in a table of DynamoDB |
//! | `sealed-session-mongodb` | `MongoDbStore`, in a collection of MongoDB |
//! | `sealed-session-tower-sessions` | `TowerSessionsLayer`: sessions of `tower-sessions` 0.14 in the sealed cookie, for `axum-login` 0.18 and `axum-messages` 0.8 |
//! | `sealed-session-actix-session` | `SealedSessionStore`, for applications of `actix-session` and `actix-identity` |
//! | `sealed-session-salvo` | `SessionHoop`, for Salvo 1.1 |
//! | `sealed-session-cli` | the command `sealed-session`, for operators |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "tests make small numbers of small numbers"))]

pub mod adapter;
mod caching;
mod clock;
#[cfg(feature = "config")]
mod config;
pub mod cookie;
mod crypto;
pub mod csrf;
mod error;
pub mod events;
pub mod guide;
mod id;
pub mod json;
mod key;
pub mod key_source;
pub mod limits;
mod manager;
mod request;
mod seal;
mod sealed_records;
mod session;
mod settings;
pub mod store;
pub mod testing;
mod wipe;
mod wire;

pub use clock::{Clock, SystemClock, Timer, Timestamp, Wait};
#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
pub use config::{Config, Stores};
pub use crypto::Suite;
pub use error::{CommitError, ConfigError, KeyError, LoadError, RandomError, Reason, SessionError};
pub use id::{KeyId, PublicId};
pub use json::number::Amount;
pub use json::path::Path;
pub use key::{Key, KeyRing, RingEntry, RingHandle};
pub use manager::{SessionManager, SessionManagerBuilder};
pub use request::{Commit, FailedCommit, HeaderEdit, PendingSession, RequestFacts, ResponseFacts};
pub use seal::Lifetimes;
pub use session::{FlashMessages, Session};
pub use settings::{Placement, Renewal, StoreFailure, TooLarge};

/// What an operator's tools look at: the keys of a ring and their text, what a cookie shows without its key, how much room
/// there is, and whether a manager is ready.
pub mod operator {
    pub use crate::json::shape::member_sizes;
    pub use crate::key::{KeyReport, KeyState, KeyStatus, RingMarks, RingText, RotationSettings};
    pub use crate::manager::Health;
    pub use crate::seal::{CookieLengths, EnvelopeFacts, Inspection};
    pub use crate::session::SizeReport;
}

/// Seals and opens cookies outside of a request: for jobs, and for tests of another reader.
pub mod sealer {
    pub use crate::error::SealError;
    pub use crate::seal::{Opened, Sealer, SealerBuilder};
}

/// The README's examples compile and run.
#[cfg(all(doctest, feature = "axum", feature = "config"))]
#[doc = include_str!("../README.md")]
mod readme {}
