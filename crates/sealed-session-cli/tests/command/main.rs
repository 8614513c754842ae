//! The operator's command, run as an operator runs it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails loudly")]

mod guide;
mod inspect;
mod keygen;
mod keys;
mod open;
mod refused;
mod seal;
mod size;
mod support;
mod sweep;
mod usage;
