//! The axum extractors, in routers as an application has them.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "../guards/mod.rs"]
mod guards;

mod extractor;
mod flash;
mod layers;
mod site;
mod store_down;
mod support;
mod typed;
