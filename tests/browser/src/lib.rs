//! Starts the demo, the driver and the browser, each on a free port, and ends them.
//!
//! `CHROMIUM` and `CHROMEDRIVER` name the programs where they are not on the path.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]

mod browser;
mod process;

pub use browser::Browser;
pub use process::Demo;
