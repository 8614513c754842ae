//! Two members of one name in a JSON text: every reader keeps one of them, and not every reader the same.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

pub(super) const REPEATED: &str = "two members have one name, and a reader would keep one of them; keep or rename one";

/// The keys and indices that lead to the first name that its object has twice. The text is well-formed: it has been
/// parsed.
pub(super) fn repeated_name(json: &[u8]) -> Option<Vec<String>> {
    let mut path = Vec::new();
    // Depth is bounded by the reader, as it is everywhere.
    let walked = Walk { path: &mut path }.deserialize(&mut serde_json::Deserializer::from_slice(json));
    walked.is_err().then_some(path)
}

/// Goes through a value. Where it fails, the path leads to the name at fault.
struct Walk<'p> {
    path: &'p mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

macro_rules! visit_scalar {
    ($($method:ident($scalar:ty)),*) => {$(
        fn $method<E>(self, _: $scalar) -> Result<(), E> {
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    visit_scalar!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.path.push(index.to_string());
            if elements.next_element_seed(Walk { path: self.path })?.is_none() {
                break;
            }
            self.path.pop();
        }
        self.path.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            self.path.push(name.clone());
            if !names.insert(name) {
                return Err(A::Error::custom(REPEATED));
            }
            members.next_value_seed(Walk { path: self.path })?;
            self.path.pop();
        }
        Ok(())
    }
}
