//! What tests on real engines share: where an engine is, a runtime, names of one's own, a proxy that counts and breaks
//! connections, servers that a test may kill, the operator's command, and a search through what an engine holds.
//!
//! `bash tests/run.sh engines` starts every engine and runs the tests. While working on one of them:
//!
//! ```sh
//! bash tests/lib/engines.sh run redis -- cargo test --profile engines -p sealed-session-engine-tests --test redis
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]

mod browser;
mod command;
mod dump;
mod environment;
mod private;
mod program;
mod proxy;
mod runner;
mod server;
mod traffic;

pub use browser::{Browser, Failed};
pub use command::sweep_by_command;
pub use dump::{assert_found, assert_nowhere};
use environment::redis_server;
pub use environment::{Engine, unique_name};
pub use private::PrivateEngine;
pub use proxy::Proxy;
pub use runner::Runner;
pub use server::{Server, free_port};
