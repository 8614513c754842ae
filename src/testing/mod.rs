//! For tests of applications and of frameworks: a clock to set, a browser's cookies, a store that fails on demand.
//!
//! ```
//! use sealed_session::testing::{Call, CookieJar, FaultyStore, ManualClock};
//! use sealed_session::{SessionManager, Key, RequestFacts};
//!
//! let clock = ManualClock::at_unix_seconds(1_795_000_000);
//! let records = FaultyStore::new(clock.clone());
//! let manager = SessionManager::builder(Key::generate()?).store(records.clone()).clock(clock.clone()).build()?;
//!
//! // A browser whose user is logged in.
//! let mut jar = CookieJar::new(clock.clone());
//! jar.visit(&manager, |session| session.put("user", &42))?;
//!
//! // What the application makes of an outage.
//! jar.visit(&manager, |session| session.put("cart", &"x".repeat(5000)))?;
//! assert_eq!(records.take_calls(), [Call::Create]);
//! records.go_down();
//! assert!(jar.visit(&manager, |session| session.put("user", &43)).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cookie_jar;
mod faulty_store;

pub use cookie_jar::{CookieJar, VisitError};
pub use faulty_store::{Call, FaultyStore, Records};

pub use crate::clock::ManualClock;
