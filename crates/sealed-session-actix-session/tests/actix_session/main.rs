//! The store for `actix-session`: what each of its calls does, and what its middleware makes of them.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod life;
mod middleware;
mod records;
mod sizes;
mod states;
mod support;
