//! A session as an application sees it: data under paths, without I/O.

mod composite;
mod data;
mod date;
mod exact;
mod number;
mod path;
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

pub(crate) use data::Data;
pub(crate) use date::{json_to_time, time_to_json};
pub use number::Amount;
pub use path::Path;
pub(crate) use value::{check_depth, parse_object, to_json, to_object};
