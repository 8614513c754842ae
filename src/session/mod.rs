//! A session as an application sees it: data under paths, and a life of its own. No I/O.

mod changes;
mod data;
mod date;
mod draft;
mod exact;
mod flash;
mod flashing;
mod handle;
mod inexact;
mod json;
mod lifecycle;
mod number;
mod outline;
mod path;
mod payload;
mod repeated;
mod sizes;
mod state;
mod tree;
mod value;

#[cfg(test)]
mod data_laws;
#[cfg(test)]
mod data_model;
#[cfg(test)]
mod data_rules;
#[cfg(test)]
mod exact_rules;

use data::Data;
use date::{json_to_time, time_to_text};
pub(crate) use draft::{Draft, Undone};
pub use flashing::FlashMessages;
pub use handle::Session;
pub(crate) use handle::{Backing, Fixed};
pub(crate) use json::Text;
pub use number::Amount;
pub use path::Path;
pub(crate) use payload::Payload;
pub use sizes::SizeReport;
pub(crate) use state::{IdChange, Phase, State};
pub use value::object_from_json;
use value::{parse_object, to_json, to_object};
