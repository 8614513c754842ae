use serde::Serialize;
use serde_json::{Map, Value};

use super::Counted;

/// Bytes of JSON that each member of an object takes, its quoted name and the colon included, the largest first.
///
/// Together with a comma between any two of them and the two braces they are the object's JSON.
///
/// ```
/// use sealed_session::json::object_from_json;
/// use sealed_session::operator::member_sizes;
///
/// let object = object_from_json(br#"{"user":42,"cart":["book","pen"]}"#)?;
/// assert_eq!(member_sizes(&object), [("cart".to_owned(), 21), ("user".to_owned(), 9)]);
/// # Ok::<(), sealed_session::SessionError>(())
/// ```
#[must_use]
pub fn member_sizes(object: &Map<String, Value>) -> Vec<(String, usize)> {
    sizes_of(object.iter().map(|(name, value)| (name.as_str(), value)))
}

pub(crate) fn sizes_of<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>) -> Vec<(String, usize)> {
    let size = |(name, value): (&str, &Value)| {
        // Quoted name, colon, value.
        let bytes = json_length(name).saturating_add(1).saturating_add(json_length(value));
        (name.to_owned(), bytes)
    };
    let mut sizes: Vec<_> = members.map(size).collect();
    sizes.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    sizes
}

fn json_length<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counted = Counted::default();
    // Writing JSON values into memory cannot fail.
    let _ = value.serialize(&mut serde_json::Serializer::new(&mut counted));
    counted.0
}
