//! A serializer to JSON text that refuses what JSON, or a reader of it, would change.
//!
//! `serde_json`'s own writes null for NaN and infinities, and with `arbitrary_precision` integers of any size. Numbers
//! come out in one form here, whatever features another crate turns on.

use std::fmt;
use std::ops::Range;

use serde::ser::{self, Serialize, Serializer};
use serde_json::Value;

use super::path::Path;
use super::shape::SERDE_JSON_PRIVATE;
use super::text::{Json, Writer};
use super::value::{self, PRIVATE, REPEATED, bad_name};
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;

/// Bytes that are taken for a value, and for a whole session, before their lengths are known.
const VALUE_BYTES: usize = 64;
const OBJECT_BYTES: usize = 512;

/// The JSON form of a value that is meant for a path, which errors name.
///
/// # Errors
///
/// [`SessionError::Value`], naming the part of the value at fault: NaN and infinities (JSON has none, and `serde_json`
/// writes null), integers beyond 64 bits (readers round them), keys that are not strings, keys that `serde_json` takes
/// for its own, two members of one name, more than 127 arrays and objects inside one another, or what the type itself says.
pub(crate) fn to_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Json, SessionError> {
    write(value, VALUE_BYTES).map_err(|inexact| inexact.below(&path.to_string()))
}

/// The JSON form of a value that becomes a whole session, or several of its members.
///
/// # Errors
///
/// As [`to_json`], and for what is not an object.
pub(crate) fn to_object<T: Serialize + ?Sized>(value: &T) -> Result<Json, SessionError> {
    let json = write(value, OBJECT_BYTES).map_err(|inexact| inexact.below(""))?;
    if json.is_object() {
        return Ok(json);
    }
    Err(SessionError::Value {
        path: String::new(),
        problem: format!("it is {}, and a session is an object; wrap it in a struct or a map", json.kind()),
    })
}

/// The JSON form of a value.
///
/// # Errors
///
/// What keeps it from being exact, and where.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, capacity_bytes: usize) -> Result<Json, Inexact> {
    let mut out = Writer::new(capacity_bytes);
    value.serialize(Exact { out: &mut out, depth: 0 })?;
    if out.is_broken {
        // A type may go on after a part of it failed.
        return Err(Inexact::new("a part of it failed to serialize, and its type did not return that error"));
    }
    Ok(out.finish())
}

/// Writes one value, inside so many arrays and objects: not too many, so that no type runs the stack out.
struct Exact<'w> {
    out: &'w mut Writer,
    depth: usize,
}

/// An enum's variant: an object with the variant's name as its one key.
struct Tag {
    variant: &'static str,
    name: Range<usize>,
    depth: usize,
}

impl Tag {
    /// The same error below the variant's name, where there is one.
    fn blame(tag: Option<&Self>, error: Inexact) -> Inexact {
        match tag {
            Some(tag) => error.under(tag.variant),
            None => error,
        }
    }

    fn end(&self, out: &mut Writer) {
        out.end_value(self.depth, &self.name);
        out.json.push(b'}');
    }
}

impl<'w> Exact<'w> {
    /// One array or object more.
    fn enter(&mut self) -> Result<(), Inexact> {
        if self.depth >= DATA_DEPTH_MAX - 1 {
            return Err(Inexact::new(format!("it is nested deeper than {DATA_DEPTH_MAX} levels; nest less")));
        }
        self.depth = self.depth.saturating_add(1);
        self.out.deepest = self.out.deepest.max(self.depth);
        Ok(())
    }

    fn enter_variant(&mut self, variant: &'static str) -> Result<Tag, Inexact> {
        self.enter()?;
        let begin = self.out.json.len().saturating_add(2);
        self.out.json.push(b'{');
        self.out.write_str(variant)?;
        let name = begin..self.out.json.len().saturating_sub(1);
        if variant.starts_with(SERDE_JSON_PRIVATE) {
            return Err(Inexact::new(PRIVATE).under(variant));
        }
        self.out.begin_value(self.depth);
        Ok(Tag { variant, name, depth: self.depth })
    }

    fn elements(mut self, variant: Option<&'static str>) -> Result<Elements<'w>, Inexact> {
        let tag = variant.map(|variant| self.enter_variant(variant)).transpose()?;
        self.enter()?;
        self.out.json.push(b'[');
        Ok(Elements { out: self.out, depth: self.depth, tag, count: 0 })
    }

    fn members(mut self, variant: Option<&'static str>) -> Result<Members<'w>, Inexact> {
        let tag = variant.map(|variant| self.enter_variant(variant)).transpose()?;
        self.enter()?;
        // One allocation for the names of most types, and of those inside them.
        if self.out.names.capacity() == 0 {
            self.out.names.reserve(8);
        }
        let first_name = self.out.names.len();
        Ok(Members { out: self.out, depth: self.depth, tag, first_name, name: 0..0, is_named: false })
    }

    fn integer<T: Serialize>(self, integer: Option<T>) -> Result<(), Inexact> {
        match integer {
            Some(integer) => Ok(self.out.write(&integer)?),
            None => {
                Err(Inexact::new("an integer beyond 64 bits would be rounded by whoever reads it; keep it as text"))
            }
        }
    }

    /// A number that was read from text, in its one form.
    fn number(self, number: &serde_json::Number) -> Result<(), Inexact> {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => self.serialize_i64(integer),
            (_, Some(integer), _) => self.serialize_u64(integer),
            (.., float) => self.serialize_f64(float.unwrap_or(f64::NAN)),
        }
    }
}

macro_rules! serialize_as_serde_json_does {
    ($($method:ident($value:ty)),*) => {$(
        fn $method(self, value: $value) -> Result<(), Inexact> {
            Ok(self.out.write(&value)?)
        }
    )*};
}

impl<'w> Serializer for Exact<'w> {
    type Ok = ();
    type Error = Inexact;
    type SerializeSeq = Elements<'w>;
    type SerializeTuple = Elements<'w>;
    type SerializeTupleStruct = Elements<'w>;
    type SerializeTupleVariant = Elements<'w>;
    type SerializeMap = Members<'w>;
    type SerializeStruct = Fields<'w>;
    type SerializeStructVariant = Members<'w>;

    serialize_as_serde_json_does!(serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64));
    serialize_as_serde_json_does!(serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64));
    serialize_as_serde_json_does!(serialize_bool(bool), serialize_char(char));

    fn serialize_str(self, text: &str) -> Result<(), Inexact> {
        Ok(self.out.write_str(text)?)
    }

    fn serialize_i128(self, integer: i128) -> Result<(), Inexact> {
        match i64::try_from(integer) {
            Ok(integer) => self.serialize_i64(integer),
            Err(_) => self.integer(u64::try_from(integer).ok()),
        }
    }

    fn serialize_u128(self, integer: u128) -> Result<(), Inexact> {
        self.integer(u64::try_from(integer).ok())
    }

    // By way of `f64`, because the digits of an `f32` read back as another number.
    fn serialize_f32(self, float: f32) -> Result<(), Inexact> {
        self.serialize_f64(f64::from(float))
    }

    fn serialize_f64(self, float: f64) -> Result<(), Inexact> {
        if !float.is_finite() {
            return Err(Inexact::new("JSON has no NaN and no infinity; leave the value out, or keep it as text"));
        }
        self.out.is_plain = false;
        Ok(self.out.write(&float)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Inexact> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Inexact> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Inexact> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Inexact> {
        self.out.json.extend(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Inexact> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Inexact> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Inexact> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Inexact> {
        let tag = self.enter_variant(variant)?;
        value.serialize(Exact { out: self.out, depth: self.depth }).map_err(|error| error.under(variant))?;
        tag.end(self.out);
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements<'w>, Inexact> {
        self.elements(None)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Elements<'w>, Inexact> {
        self.elements(None)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Elements<'w>, Inexact> {
        self.elements(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Elements<'w>, Inexact> {
        self.elements(Some(variant))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Members<'w>, Inexact> {
        self.members(None)
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Fields<'w>, Inexact> {
        // So `serde_json` hands over a number of `arbitrary_precision`, and raw JSON: a struct whose one field is text.
        if name.starts_with(SERDE_JSON_PRIVATE) {
            return Ok(Fields::JsonText(self, Value::Null));
        }
        self.members(None).map(Fields::Members)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members<'w>, Inexact> {
        self.members(Some(variant))
    }
}

/// An array that is being written.
struct Elements<'w> {
    out: &'w mut Writer,
    depth: usize,
    tag: Option<Tag>,
    count: usize,
}

impl Elements<'_> {
    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        if self.count > 0 {
            self.out.json.push(b',');
        }
        if let Err(error) = value.serialize(Exact { out: self.out, depth: self.depth }) {
            self.out.is_broken = true;
            return Err(Tag::blame(self.tag.as_ref(), error.under(self.count)));
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn close(self) -> Result<(), Inexact> {
        self.out.json.push(b']');
        if let Some(tag) = self.tag {
            tag.end(self.out);
        }
        Ok(())
    }
}

macro_rules! elements {
    ($($of:ident::$method:ident),*) => {$(
        impl ser::$of for Elements<'_> {
            type Ok = ();
            type Error = Inexact;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
                self.write(value)
            }

            fn end(self) -> Result<(), Inexact> {
                self.close()
            }
        }
    )*};
}

elements!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// An object that is being written.
struct Members<'w> {
    out: &'w mut Writer,
    depth: usize,
    tag: Option<Tag>,
    /// Its names are those of the writer from this one on.
    first_name: usize,
    /// The last name, between its quotes.
    name: Range<usize>,
    /// Its value comes next.
    is_named: bool,
}

impl Members<'_> {
    /// Writes a name by a call that begins with one byte, which becomes the brace or the comma.
    fn begin(&mut self, write: impl FnOnce(&mut Writer) -> Result<(), Inexact>) -> Result<(), Inexact> {
        if self.is_named {
            return Err(self.out_of_turn());
        }
        let begin = self.out.json.len();
        if let Err(error) = write(self.out) {
            self.out.is_broken = true;
            return Err(error);
        }
        let is_first = self.out.names.len() == self.first_name;
        if let Some(byte) = self.out.json.as_mut_slice().get_mut(begin) {
            *byte = if is_first { b'{' } else { b',' };
        }
        self.name = begin.saturating_add(2)..self.out.json.len().saturating_sub(1);
        // Security: read back where such a feature is on, text under this key would be taken for JSON.
        if self.out.text(&self.name).starts_with(SERDE_JSON_PRIVATE.as_bytes()) {
            self.out.is_broken = true;
            return Err(self.blamed(Inexact::new(PRIVATE), &self.name));
        }
        self.out.names.push(self.name.clone());
        self.is_named = true;
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        if !std::mem::take(&mut self.is_named) {
            return Err(self.out_of_turn());
        }
        self.out.begin_value(self.depth);
        if let Err(error) = value.serialize(Exact { out: self.out, depth: self.depth }) {
            self.out.is_broken = true;
            return Err(self.blamed(error, &self.name));
        }
        self.out.end_value(self.depth, &self.name);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Inexact> {
        self.begin(|out| {
            out.json.push(b',');
            Ok(out.write_str(name)?)
        })?;
        self.value(value)
    }

    fn close(mut self) -> Result<(), Inexact> {
        if self.is_named {
            return Err(self.out_of_turn());
        }
        if let Some(name) = self.out.repeated(self.first_name) {
            return Err(self.blamed(Inexact::new(REPEATED), name));
        }
        self.out.json.extend(if self.out.names.len() == self.first_name { b"{}" } else { b"}" });
        self.out.names.truncate(self.first_name);
        if let Some(tag) = self.tag {
            tag.end(self.out);
        }
        Ok(())
    }

    fn out_of_turn(&mut self) -> Inexact {
        self.out.is_broken = true;
        Inexact::new("its type writes a key without a value, or a value without a key")
    }

    fn blamed(&self, error: Inexact, name: &Range<usize>) -> Inexact {
        Tag::blame(self.tag.as_ref(), error.under(self.out.name(name)))
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Inexact;

    // As `serde_json` writes it: numbers, booleans and characters become text, and what has no text is refused.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Inexact> {
        self.begin(|out| {
            let mut writer = serde_json::Serializer::new(&mut out.json);
            Ok(writer.serialize_map(None)?.serialize_key(key)?)
        })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        self.value(value)
    }

    fn end(self) -> Result<(), Inexact> {
        self.close()
    }
}

impl ser::SerializeStructVariant for Members<'_> {
    type Ok = ();
    type Error = Inexact;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Inexact> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Inexact> {
        self.close()
    }
}

/// A struct that is being written: an object, or JSON text that `serde_json` wraps.
enum Fields<'w> {
    Members(Members<'w>),
    JsonText(Exact<'w>, Value),
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Inexact;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Inexact> {
        match self {
            Self::Members(members) => members.field(key, value),
            Self::JsonText(_, text) => {
                *text = serde_json::to_value(value)?;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<(), Inexact> {
        let (exact, text) = match self {
            Self::Members(members) => return members.close(),
            Self::JsonText(exact, text) => (exact, text),
        };
        let json = text.as_str().unwrap_or_default().as_bytes();
        if let Some((path, problem)) = bad_name(json) {
            return Err(path.into_iter().rev().fold(Inexact::new(problem), Inexact::under));
        }
        let value = value::parse(json)?;
        match &value {
            Value::Number(number) => exact.number(number),
            other => other.serialize(exact),
        }
    }
}

// Why a value cannot be written exactly, and where in it.

/// What keeps a value from being written exactly.
#[derive(Debug)]
pub(crate) struct Inexact {
    problem: String,
    /// The keys that lead to the part at fault, the innermost first.
    keys: Vec<String>,
}

impl Inexact {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), keys: Vec::new() }
    }

    /// The same one level further out: below a key.
    pub(crate) fn under(mut self, key: impl fmt::Display) -> Self {
        self.keys.push(key.to_string());
        self
    }

    /// The same as an error that names the part by its path below `path`.
    pub(crate) fn below(self, path: &str) -> SessionError {
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

impl From<serde_json::Error> for Inexact {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error.to_string())
    }
}
