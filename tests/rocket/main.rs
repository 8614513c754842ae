//! The Rocket adapter, in applications as Rocket's own test client drives them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails loudly")]

mod catchers;
mod csrf;
mod csrf_form;
mod csrf_readable;
mod csrf_routes;
mod csrf_several;
mod csrf_site;
mod errors;
mod guard;
mod headers;
mod launch;
mod panics;
mod several;
mod support;
mod test_client;
