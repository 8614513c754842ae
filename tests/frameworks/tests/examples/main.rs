//! The examples of one file: each is built and started as its head says, and visited over real HTTP; and what the heads say.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod heads;
mod visits;
