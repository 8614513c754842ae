//! `actix-identity` over sealed sessions, over real HTTP: its own rules, and what the seal adds to them.
//!
//! Its deadlines are judged by the time of the day, which no test here moves: one of no time at all has passed by the next
//! request. The life of a session is judged by the clock of its store, which the tests hold.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod identities;
mod lives;
mod refusals;
mod site;
