//! Forged requests: tokens that only our pages have, and whether a request needs one.

#![warn(clippy::arithmetic_side_effects)]

mod guard;
mod session;
mod token;

#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem", feature = "rocket"))]
pub(crate) use guard::is_urlencoded;
pub use guard::{CsrfDecision, CsrfFacts, csrf_decision};
pub use token::CsrfError;
#[cfg(test)]
pub(crate) use token::CsrfToken;
