//! The examples of one file: each is built and started as its head says, and visited over real HTTP; and what the heads say.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails loudly")]

mod heads;
mod visits;
