//! Starts the demo, the driver and the browser, each on a free port, and ends them.
//!
//! `CHROMIUM` and `CHROMEDRIVER` name the programs where they are not on the path.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]

mod browser;
mod other_site;
mod process;

pub use browser::Browser;
pub use other_site::OtherSite;
pub use process::Demo;
