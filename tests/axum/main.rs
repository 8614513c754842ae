//! The axum extractors, in routers as an application has them.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "../guards/mod.rs"]
mod guards;

mod csrf_form;
mod extractor;
mod flash;
mod layers;
mod marked_csrf;
mod site;
mod store_down;
mod support;
mod token_life;
mod typed;
