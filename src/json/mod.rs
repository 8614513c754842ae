//! JSON as this crate reads and writes it: `serde_json`'s types, and texts that are looked at without building values from them.

pub(crate) mod date;
pub(crate) mod exact;
pub(crate) mod number;
pub(crate) mod path;
pub(crate) mod shape;
pub(crate) mod text;
pub(crate) mod value;

#[cfg(test)]
mod exact_tests;

pub use serde_json::{Map, Number, Value};

pub use value::object_from_json;
