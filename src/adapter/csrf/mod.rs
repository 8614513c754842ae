//! What guards against forged requests do whatever the framework is: they hand header values and bodies in.

#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem", feature = "rocket"))]
mod form;
mod guard;

#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem", feature = "rocket"))]
pub(crate) use form::FormCheck;
#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem", feature = "rocket"))]
pub use form::{CsrfForm, CsrfFormError, CsrfScope, WholeSession};
pub(crate) use guard::{GuardSettings, RequestCheck, guard_settings, is_websocket};
