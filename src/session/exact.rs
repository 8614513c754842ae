//! A serializer to JSON values that refuses what JSON, or a reader of it, would change.
//!
//! `serde_json`'s own writes null for NaN and infinities, and with `arbitrary_precision` integers of any size. Numbers
//! come out in one form here, whatever features another crate turns on.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};
use serde_json::{Number, Value};

use super::composite::{Elements, Fields, Members, tagged};
use super::number;
use super::path::SERDE_JSON_PRIVATE;
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;

/// The JSON form of a value.
///
/// # Errors
///
/// What keeps it from being exact, and where.
pub(super) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Inexact> {
    value.serialize(Exact { depth_left: DATA_DEPTH_MAX - 1 })
}

/// What keeps a value from being written exactly.
#[derive(Debug)]
pub(super) struct Inexact {
    problem: String,
    /// The keys that lead to the part at fault, the innermost first.
    keys: Vec<String>,
}

impl Inexact {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), keys: Vec::new() }
    }

    /// The same one level further out: below a key, and that below a variant's name where there is one.
    pub(super) fn under(mut self, variant: Option<&'static str>, key: impl fmt::Display) -> Self {
        self.keys.push(key.to_string());
        self.keys.extend(variant.map(str::to_owned));
        self
    }

    /// The same as an error that names the part by its path below `path`.
    pub(super) fn below(self, path: &str) -> SessionError {
        let outermost = Some(path).filter(|path| !path.is_empty());
        let segments: Vec<&str> = outermost.into_iter().chain(self.keys.iter().rev().map(String::as_str)).collect();
        SessionError::Value { path: segments.join("."), problem: self.problem }
    }
}

impl fmt::Display for Inexact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Inexact {}

impl ser::Error for Inexact {
    // Security: what a type says of its own failure is shown as it is. serde's own types name no value there.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// Writes one value; `depth_left` arrays and objects may lie inside one another, so that no type runs the stack out.
#[derive(Clone, Copy)]
pub(super) struct Exact {
    depth_left: usize,
}

impl Exact {
    /// For what lies inside an array or object that this one writes.
    pub(super) fn inside(self) -> Result<Self, Inexact> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left }),
            None => Err(Inexact::new(format!("it is nested deeper than {DATA_DEPTH_MAX} levels; nest less"))),
        }
    }

    fn integer(integer: Option<Number>) -> Result<Value, Inexact> {
        let problem = "an integer beyond 64 bits would be rounded by whoever reads it; keep it as text";
        integer.map(Value::Number).ok_or_else(|| Inexact::new(problem))
    }
}

macro_rules! serialize_number {
    ($($method:ident($number:ty)),*) => {$(
        fn $method(self, number: $number) -> Result<Value, Inexact> {
            Ok(Value::from(number))
        }
    )*};
}

impl Serializer for Exact {
    type Ok = Value;
    type Error = Inexact;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Members;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Members;

    serialize_number!(serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64));
    serialize_number!(serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64));

    fn serialize_i128(self, integer: i128) -> Result<Value, Inexact> {
        Self::integer(number::from_integer(integer))
    }

    fn serialize_u128(self, integer: u128) -> Result<Value, Inexact> {
        Self::integer(u64::try_from(integer).ok().map(Number::from))
    }

    // By way of `f64`, because the digits of an `f32` read back as another number.
    fn serialize_f32(self, float: f32) -> Result<Value, Inexact> {
        self.serialize_f64(f64::from(float))
    }

    fn serialize_f64(self, float: f64) -> Result<Value, Inexact> {
        let problem = "JSON has no NaN and no infinity; leave the value out, or keep it as text";
        Number::from_f64(float).map(Value::Number).ok_or_else(|| Inexact::new(problem))
    }

    fn serialize_bool(self, value: bool) -> Result<Value, Inexact> {
        Ok(Value::Bool(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, Inexact> {
        Ok(Value::String(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Inexact> {
        Ok(Value::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Inexact> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<Value, Inexact> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Inexact> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Inexact> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Inexact> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Inexact> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, Inexact> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Inexact> {
        let value = value.serialize(self.inside()?).map_err(|error| error.under(None, variant))?;
        Ok(tagged(Some(variant), value))
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements, Inexact> {
        Elements::new(self, None)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Elements, Inexact> {
        Elements::new(self, None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Elements, Inexact> {
        Elements::new(self, None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Elements, Inexact> {
        Elements::new(self, Some(variant))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Members, Inexact> {
        Members::new(self, None)
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Fields, Inexact> {
        // So `serde_json` hands over a number of `arbitrary_precision`, and raw JSON: a struct whose one field is text.
        if name.starts_with(SERDE_JSON_PRIVATE) {
            return Ok(Fields::JsonText(Value::Null));
        }
        Members::new(self, None).map(Fields::Members)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members, Inexact> {
        Members::new(self, Some(variant))
    }
}
