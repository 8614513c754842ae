//! A session as an application sees it: data under paths, and a life of its own. No I/O.

mod data;
mod date;
mod exact;
mod flash;
mod handle;
mod json;
mod life;
mod number;
mod path;
mod state;
mod value;

#[cfg(test)]
mod data_laws;
#[cfg(test)]
mod data_model;
#[cfg(test)]
mod data_rules;
#[cfg(test)]
mod exact_rules;

use data::{Data, to_json, to_object};
use date::{json_to_time, time_to_text};
pub use flash::FlashMessages;
pub use handle::Session;
pub(crate) use handle::{Backing, Draft, Fixed, Undone};
pub(crate) use json::Text;
pub use life::SizeReport;
pub use number::Amount;
pub use path::Path;
pub(crate) use state::{IdChange, Payload, Phase, State};
pub use value::object_from_json;
use value::parse_object;
