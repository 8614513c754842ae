//! The middleware and the extractors for actix-web: what the scenario over HTTP cannot show.
#![expect(clippy::unwrap_used, reason = "a test fails loudly, and so does what it calls")]

mod csrf;
mod csrf_form;
mod errors;
mod middlewares;
mod responses;
mod support;
mod token_life;
