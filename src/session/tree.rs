//! Walks through JSON values by the segments of a path: find, place, remove, compare.

use serde_json::{Map, Value};

use super::number;

/// The place that a segment would have in an array does not exist and does not follow its last element.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnIndex {
    /// The segments of the path from the refused one on.
    pub(super) segments_left: usize,
    /// Elements of the array.
    pub(super) length: usize,
}

/// The value at the end of the path below this one, if there is one.
pub(super) fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get(segment),
        Value::Array(elements) => elements.get(index(segment)?),
        _ => None,
    })
}

/// The same, to be changed.
pub(super) fn find_mut<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, segment| match value {
        Value::Object(members) => members.get_mut(segment),
        Value::Array(elements) => elements.get_mut(index(segment)?),
        _ => None,
    })
}

/// Takes out the value at the end of the path. Later elements of an array move up; an emptied parent stays.
pub(super) fn remove_below(value: &mut Value, path: &[String]) -> Option<Value> {
    let (last, between) = path.split_last()?;
    match find_mut(value, between)? {
        Value::Object(members) => members.remove(last),
        Value::Array(elements) => {
            let index = index(last).filter(|index| *index < elements.len())?;
            Some(elements.remove(index))
        }
        _ => None,
    }
}

/// Whether both are the same JSON value, written alike but for the order of members: `1` and `1.0` differ.
pub(super) fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => number::identical(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| identical(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| identical(left, right)))
        }
        (left, right) => left == right,
    }
}

/// Arrays and objects inside one another, the value itself included.
pub(super) fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    below.unwrap_or(0).saturating_add(1)
}

/// Puts the value at the end of the path below this one, making the objects that are missing; tells whether anything changed.
///
/// Nothing is changed before the whole way is known to be open: below what is missing, nothing can be in the way.
pub(super) fn place_below(slot: &mut Value, path: &[String], value: Value) -> Result<bool, NotAnIndex> {
    let Some((segment, rest)) = path.split_first() else {
        let changed = !identical(slot, &value);
        if changed {
            *slot = value;
        }
        return Ok(changed);
    };
    match slot {
        Value::Object(members) => {
            if let Some(slot) = members.get_mut(segment) {
                return place_below(slot, rest, value);
            }
            members.insert(segment.clone(), wrapped(rest, value));
            Ok(true)
        }
        Value::Array(elements) => {
            let length = elements.len();
            let index = index(segment).filter(|index| *index <= length);
            let index = index.ok_or(NotAnIndex { segments_left: path.len(), length })?;
            if let Some(slot) = elements.get_mut(index) {
                return place_below(slot, rest, value);
            }
            elements.push(wrapped(rest, value));
            Ok(true)
        }
        scalar => {
            *scalar = wrapped(path, value);
            Ok(true)
        }
    }
}

/// The value inside new objects, one for each segment.
pub(super) fn wrapped(path: &[String], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, segment| Value::Object(Map::from_iter([(segment.clone(), inner)])))
}

/// The element that a segment counts to. One text per index: no sign, no leading zero.
fn index(segment: &str) -> Option<usize> {
    let is_canonical =
        segment.bytes().all(|byte| byte.is_ascii_digit()) && (segment == "0" || !segment.starts_with('0'));
    if is_canonical { segment.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_has_one_text() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for text in ["", "+1", "-1", "01", "00", "1.0", " 1", "1 ", "x", "١", "99999999999999999999999"] {
            assert_eq!(index(text), None, "{text:?}");
        }
    }

    #[test]
    fn depth_counts_arrays_and_objects() {
        for (value, expected) in [(json!(1), 0), (json!([]), 1), (json!({}), 1), (json!([1, {"a": [2]}, []]), 3)] {
            assert_eq!(depth(&value), expected, "{value}");
        }
    }

    #[test]
    fn identical_values_may_differ_in_the_order_of_members_alone() {
        let left: Value = serde_json::from_str(r#"{"a":1,"b":[true,null]}"#).unwrap();
        assert!(identical(&left, &serde_json::from_str(r#"{"b":[true,null],"a":1}"#).unwrap()));
        for other in
            [json!({"a": 1}), json!({"a": 1.0, "b": [true, null]}), json!({"a": 1, "b": [null, true]}), json!(1)]
        {
            assert!(!identical(&left, &other), "{other}");
        }
        assert!(!identical(&json!({"a": null}), &json!({"b": null})));
        assert!(!identical(&json!([1]), &json!([1, 2])));
    }
}
