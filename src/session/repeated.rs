//! Names in a JSON text that readers take differently. Of two members of one name each keeps one, and not each the same.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use super::path::SERDE_JSON_PRIVATE;

pub(super) const REPEATED: &str = "two members have one name, and a reader would keep one of them; keep or rename one";

pub(super) const PRIVATE: &str = "no key may start with \"$serde_json::private::\"; choose another key";

/// The keys and indices that lead to the first name that a reader would take for something else, and why: one that its object
/// has twice, or one with which `serde_json` marks values of its own.
pub(super) fn bad_name(json: &[u8]) -> Option<(Vec<String>, &'static str)> {
    let (mut path, mut problem) = (Vec::new(), None);
    // Depth is bounded by the reader, as it is everywhere. What is no JSON is the parser's to refuse.
    let walk = Walk { path: &mut path, problem: &mut problem };
    let _ = walk.deserialize(&mut serde_json::Deserializer::from_slice(json));
    problem.map(|problem| (path, problem))
}

/// Goes through a value. Where it fails, the path leads to the name at fault.
struct Walk<'p> {
    path: &'p mut Vec<String>,
    problem: &'p mut Option<&'static str>,
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
            if elements.next_element_seed(Walk { path: self.path, problem: self.problem })?.is_none() {
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
            let is_private = name.starts_with(SERDE_JSON_PRIVATE);
            if is_private || !names.insert(name) {
                let problem = if is_private { PRIVATE } else { REPEATED };
                *self.problem = Some(problem);
                return Err(A::Error::custom(problem));
            }
            members.next_value_seed(Walk { path: self.path, problem: self.problem })?;
            self.path.pop();
        }
        Ok(())
    }
}
