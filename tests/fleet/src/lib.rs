//! A fleet of demo processes behind a proxy, the people who use it, and the operator of its keys.
//!
//! Sessions fit their cookies: the memory store is each process's own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]
#![expect(clippy::disallowed_methods, reason = "processes live in the time that there is")]

mod crowd;
mod fleet;
mod mount;
mod operator;
mod person;
mod proxy;
mod site;

pub use crowd::Crowd;
pub use fleet::{Fleet, KeyReport, Lifetimes};
pub use operator::Operator;
pub use person::Person;
pub use proxy::Proxy;
pub use site::{Page, Site};

use std::time::{Duration, Instant};

/// Waits until something holds, and fails when it does not in time.
pub fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
