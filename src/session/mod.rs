//! A session as an application sees it: data under paths, and a life of its own. No I/O.

mod data;
mod date;
mod exact;
mod flash;
mod handle;
mod json;
mod lifecycle;
mod number;
mod path;
mod state;
mod value;

#[cfg(test)]
mod data_law_tests;
#[cfg(test)]
mod data_test_model;
#[cfg(test)]
mod data_tests;
#[cfg(test)]
mod exact_tests;

use data::{Data, to_json, to_object};
use date::{json_to_time, time_to_text};
pub use flash::FlashMessages;
pub use handle::Session;
pub(crate) use handle::{Backing, Draft, Fixed, Undone};
pub(crate) use json::Text;
pub use lifecycle::SizeReport;
pub use number::Amount;
pub use path::Path;
pub(crate) use state::{IdChange, Payload, Phase, State};
pub use value::object_from_json;
use value::parse_object;
