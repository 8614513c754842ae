//! Starts the demo, the driver and the browser, each on a free port, and ends them.
//!
//! `CHROMIUM` and `CHROMEDRIVER` name the programs where they are not on the path.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]

mod browser;
mod demo;
mod other_site;

pub use browser::Browser;
pub use demo::Demo;
pub use other_site::OtherSite;
