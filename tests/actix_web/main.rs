//! The middleware and the extractors for actix-web: what the scenario over HTTP cannot show.
#![expect(clippy::unwrap_used, reason = "a test fails loudly, and so does what it calls")]

#[path = "../guards/mod.rs"]
mod guards;

mod csrf;
mod csrf_form;
mod errors;
mod middlewares;
mod responses;
mod site;
mod support;
