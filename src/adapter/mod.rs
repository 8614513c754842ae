//! One framework each, thin: they hand header values in and put header values out.

#[cfg(feature = "actix-web")]
#[cfg_attr(docsrs, doc(cfg(feature = "actix-web")))]
pub mod actix_web;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
#[cfg(any(feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
mod csrf;
#[cfg(any(feature = "poem", feature = "tower"))]
mod extensions;
#[cfg(any(feature = "poem", feature = "tower"))]
mod header_map;
#[cfg(any(feature = "actix-web", feature = "poem", feature = "tower"))]
mod manager_choice;
#[cfg(any(feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
mod marked_session;
#[cfg(feature = "poem")]
#[cfg_attr(docsrs, doc(cfg(feature = "poem")))]
pub mod poem;
#[cfg(feature = "rocket")]
#[cfg_attr(docsrs, doc(cfg(feature = "rocket")))]
pub mod rocket;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub mod tower;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub mod tracing;

#[cfg(any(feature = "actix-web", feature = "axum", feature = "poem", feature = "rocket"))]
pub use csrf::{CsrfForm, CsrfFormError, CsrfScope, WholeSession};
#[cfg(any(feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
pub use marked_session::Marked;
