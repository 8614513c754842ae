//! The arrays and objects of the exact serializer, while they are built.

use serde::ser::{self, Serialize, SerializeMap as _, Serializer as _};
use serde_json::{Map, Value};

use super::exact::{self, Exact, Inexact};
use super::path::SERDE_JSON_PRIVATE;
use super::repeated::{REPEATED, repeated_name};
use super::value;

/// An array under construction.
pub(super) struct Elements {
    element: Exact,
    elements: Vec<Value>,
    variant: Option<&'static str>,
}

impl Elements {
    /// An array that `outer` writes, inside an object where it belongs to a variant.
    pub(super) fn new(outer: Exact, variant: Option<&'static str>) -> Result<Self, Inexact> {
        let outer = if variant.is_some() { outer.inside()? } else { outer };
        Ok(Self { element: outer.inside()?, elements: Vec::new(), variant })
    }
}

impl ser::SerializeSeq for Elements {
    type Ok = Value;
    type Error = Inexact;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        let value = value.serialize(self.element).map_err(|error| error.under(self.variant, self.elements.len()))?;
        self.elements.push(value);
        Ok(())
    }

    fn end(self) -> Result<Value, Inexact> {
        Ok(tagged(self.variant, Value::Array(self.elements)))
    }
}

impl ser::SerializeTuple for Elements {
    type Ok = Value;
    type Error = Inexact;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Value, Inexact> {
        ser::SerializeSeq::end(self)
    }
}

/// The two traits whose fields have no names.
macro_rules! unnamed_fields {
    ($($of:ident),*) => {$(
        impl ser::$of for Elements {
            type Ok = Value;
            type Error = Inexact;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
                ser::SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result<Value, Inexact> {
                ser::SerializeSeq::end(self)
            }
        }
    )*};
}

unnamed_fields!(SerializeTupleStruct, SerializeTupleVariant);

/// An object under construction.
pub(super) struct Members {
    member: Exact,
    members: Map<String, Value>,
    /// The key whose value comes next.
    key: String,
    variant: Option<&'static str>,
}

impl Members {
    /// An object that `outer` writes, inside another where it belongs to a variant.
    pub(super) fn new(outer: Exact, variant: Option<&'static str>) -> Result<Self, Inexact> {
        let outer = if variant.is_some() { outer.inside()? } else { outer };
        Ok(Self { member: outer.inside()?, members: Map::new(), key: String::new(), variant })
    }

    fn insert<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), Inexact> {
        // Security: read back where such a feature is on, text under this key would be taken for JSON.
        if key.starts_with(SERDE_JSON_PRIVATE) {
            let problem = format!("no key may start with \"{SERDE_JSON_PRIVATE}\"; choose another key");
            return Err(Inexact::new(problem).under(self.variant, key));
        }
        // Security: a reader keeps one of them, and not every reader the same: a flattened map could give a user a role.
        if self.members.contains_key(&key) {
            return Err(Inexact::new(REPEATED).under(self.variant, key));
        }
        match value.serialize(self.member) {
            Ok(value) => {
                self.members.insert(key, value);
                Ok(())
            }
            Err(error) => Err(error.under(self.variant, key)),
        }
    }
}

impl ser::SerializeMap for Members {
    type Ok = Value;
    type Error = Inexact;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Inexact> {
        self.key = key_text(key).map_err(|error| Inexact::new(error.to_string()))?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Inexact> {
        let key = std::mem::take(&mut self.key);
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, Inexact> {
        Ok(tagged(self.variant, Value::Object(self.members)))
    }
}

impl ser::SerializeStructVariant for Members {
    type Ok = Value;
    type Error = Inexact;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Inexact> {
        self.insert(key.to_owned(), value)
    }

    fn end(self) -> Result<Value, Inexact> {
        ser::SerializeMap::end(self)
    }
}

/// A struct under construction: an object, or JSON text that `serde_json` wraps.
pub(super) enum Fields {
    Members(Members),
    JsonText(Value),
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = Inexact;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Inexact> {
        match self {
            Self::Members(members) => members.insert(key.to_owned(), value),
            Self::JsonText(text) => {
                *text = exact::to_value(value)?;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Value, Inexact> {
        match self {
            Self::Members(members) => ser::SerializeMap::end(members),
            Self::JsonText(text) => {
                let json = text.as_str().unwrap_or_default().as_bytes();
                let value = value::parse(json).map_err(|error| Inexact::new(error.to_string()))?;
                match repeated_name(json) {
                    None => Ok(value),
                    Some(path) => {
                        Err(path.into_iter().rev().fold(Inexact::new(REPEATED), |error, key| error.under(None, key)))
                    }
                }
            }
        }
    }
}

/// The value of an enum's variant: an object with the variant's name as its one key.
pub(super) fn tagged(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Object(Map::from_iter([(variant.to_owned(), value)])),
        None => value,
    }
}

/// The key as `serde_json` writes it: numbers, booleans and characters become text, and what has no text is refused.
fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String, serde_json::Error> {
    let mut members = serde_json::value::Serializer.serialize_map(Some(1))?;
    members.serialize_entry(key, &())?;
    match members.end()? {
        Value::Object(members) => Ok(members.into_iter().next().map(|(key, _)| key).unwrap_or_default()),
        _ => Ok(String::new()),
    }
}
