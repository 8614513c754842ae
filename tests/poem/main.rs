//! The poem adapter, around endpoints as an application has them.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

// Its error for a page that is not found passes the guard as it came: see `csrf_cookie`.
#[expect(dead_code, reason = "the rule of pages that are not found")]
#[path = "../guards/mod.rs"]
mod guards;

mod catching;
mod commit;
mod csrf;
mod csrf_cookie;
mod csrf_form;
mod errors;
mod layers;
mod site;
mod support;
