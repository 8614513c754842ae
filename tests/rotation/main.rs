//! Fleets of servers under a virtual clock, whose keys rotate while browsers send their requests to any of them.
//!
//! What is to happen is computed by a model written from the wire format's sections 3.2, 4 and 7 (`spec.rs`), and compared
//! with what real stores do, request by request. `ROTATION_CASES` sets how many schedules each law is tried on.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a law fails loudly; clippy knows test functions, but not what they call"
)]

mod fleet;
mod laws;
mod leak;
mod operator;
mod schedule;
mod spec;
mod visits;
