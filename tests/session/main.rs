//! Sessions, seen from outside: what a browser, a handler and an operator can tell of it.
//!
//! Each test states one rule. Requests go through a browser that treats cookies as RFC 6265bis says, and records through
//! a store that fails, lags and forgets on demand; the clock stands still unless a test moves it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

mod browser;
mod candidates;
mod clocks;
mod closed_records;
mod cost;
mod csrf_tokens;
mod data;
mod data_calls;
mod ending;
mod events;
mod express;
mod failures;
mod faulty_store;
mod flash;
mod handle;
mod headers;
mod hostile_store;
mod key_windows;
mod last_words;
mod lazy_start;
mod life;
mod lifetimes;
mod lost_answers;
mod markers;
mod model;
mod old_input;
mod once;
mod other_doors;
mod parallel;
mod placement;
mod racing;
mod read_back;
mod reasons;
mod reflash;
mod refused_cookies;
mod regenerating;
mod reloading;
mod renaming;
mod renewal;
mod replayed;
mod rotation;
mod round_trip;
mod round_trip_law;
mod saving;
mod settings;
mod size_law;
mod sizes;
mod spilling;
mod store_calls;
mod support;
mod tenants;
mod tokens;
mod user_code;
mod writing;
