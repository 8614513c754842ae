//! The Redis store on Redis: the store contract, and what is the engine's own.
//!
//! ```sh
//! bash tests/lib/engines.sh run redis -- cargo test -p sealed-session-engine-tests --test redis
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

mod cluster;
mod contract;
mod dump;
mod expiry;
mod keys;
mod outage;
mod parallel;
mod refusals;
mod round_trips;
mod support;
