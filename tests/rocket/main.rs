//! The Rocket adapter, in applications as Rocket's own test client drives them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

// Its test client sends no bytes that are no text, and what a layer is without its session is found at launch.
#[expect(dead_code, reason = "the rules of layers and bytes")]
#[path = "../guards/mod.rs"]
mod guards;

mod catchers;
mod csrf_form;
mod csrf_routes;
mod csrf_several;
mod csrf_site;
mod errors;
mod guard;
mod headers;
mod launch;
mod panics;
mod several;
mod site;
mod support;
mod test_client;
