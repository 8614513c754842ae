//! The configuration, as an operator meets it: files, variables, and what is said of a mistake.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

mod embedded;
mod formats;
mod keys;
mod refusals;
mod samples;
mod secrets;
mod stores;
mod support;
mod together;
mod variables;
mod written;
