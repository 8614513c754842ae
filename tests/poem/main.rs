//! The poem adapter, around endpoints as an application has them.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod catching;
mod commit;
mod csrf;
mod csrf_cookie;
mod csrf_form;
mod errors;
mod layers;
mod support;
mod token_life;
