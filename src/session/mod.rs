//! A session as an application sees it: data under paths, and a life of its own. No I/O.

mod data;
mod flash;
mod handle;
mod lifecycle;
mod state;

#[cfg(test)]
mod data_law_tests;
#[cfg(test)]
mod data_test_model;
#[cfg(test)]
mod data_tests;

use data::Data;
pub use flash::FlashMessages;
pub use handle::Session;
pub(crate) use handle::{Backing, Draft, Fixed, Undone};
pub use lifecycle::SizeReport;
pub(crate) use state::{IdChange, Payload, Phase, State};
