//! Laws of the data's calls over generated input, held against the model.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::Data;
use super::data_test_model::Json::{self, List, Object};
use super::data_test_model::Step;
use crate::json::exact::{to_json, to_object};
use crate::json::number::Amount;
use crate::json::path::Path;
use crate::json::value::parse_object;
use crate::wipe::WipedBytes;

impl From<Step> for Amount {
    fn from(step: Step) -> Self {
        match step {
            Step::Integer(amount) => Self::from(amount),
            Step::Float(amount) => Self::from(amount),
        }
    }
}

#[derive(Clone, Debug)]
enum Call {
    Put(Vec<&'static str>, Json),
    Merge(Vec<(String, Json)>),
    Forget(Vec<&'static str>),
    Pull(Vec<&'static str>),
    Increment(Vec<&'static str>, Step),
    Decrement(Vec<&'static str>, Step),
    Push(Vec<&'static str>, Json),
    Clear,
    Replace(Vec<(String, Json)>),
}

impl Call {
    /// What the model holds afterwards; `None` where the call is refused.
    fn on_model(&self, before: &Json) -> Option<Json> {
        match self {
            Self::Put(path, value) => before.put(path, value.clone()),
            Self::Merge(members) => {
                members.iter().try_fold(before.clone(), |whole, (key, value)| whole.put(&[key], value.clone()))
            }
            Self::Forget(path) | Self::Pull(path) => Some(before.forget(path)),
            Self::Increment(path, step) => before.increment(path, *step),
            Self::Decrement(path, Step::Integer(i64::MIN)) => {
                before.increment(path, Step::Integer(i64::MAX))?.increment(path, Step::Integer(1))
            }
            Self::Decrement(path, Step::Integer(amount)) => before.increment(path, Step::Integer(-amount)),
            Self::Decrement(path, Step::Float(amount)) => before.increment(path, Step::Float(-amount)),
            Self::Push(path, element) => before.push(path, element.clone()),
            Self::Clear => Some(Object(Vec::new())),
            Self::Replace(members) => Some(Object(members.clone())),
        }
    }

    /// Whether the data report a change; `None` where the call is refused.
    fn on_data(&self, data: &mut Data) -> Option<bool> {
        let path = |segments: &[&'static str]| Path::from_segments(segments.iter().copied());
        let object = |members: &[(String, Json)]| to_object(&Object(members.to_vec()).value()).unwrap();
        let json = |value: &Json| to_json(&Path::from("a"), &value.value()).unwrap();
        match self {
            Self::Put(segments, value) => data.put(&path(segments), &json(value)).ok(),
            Self::Merge(members) => data.merge(&object(members)).ok(),
            Self::Forget(segments) => data.forget(&path(segments)).ok(),
            Self::Pull(segments) => data.pull::<Value>(&path(segments)).ok().map(|(_, changed)| changed),
            Self::Increment(segments, step) => {
                let (sum, changed) = data.increment(&path(segments), Amount::from(*step)).ok()?;
                assert_eq!(data.find(&path(segments)).unwrap(), Some(&Value::Number(sum)));
                Some(changed)
            }
            Self::Decrement(segments, step) => {
                data.increment(&path(segments), -Amount::from(*step)).ok().map(|(_, changed)| changed)
            }
            Self::Push(segments, element) => data.push(&path(segments), &json(element)).ok(),
            Self::Clear => Some(data.clear()),
            Self::Replace(members) => data.replace(object(members)).ok(),
        }
    }
}

/// Few keys, so that calls meet: names, indices, and what is almost an index.
fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "a.b", "", "0", "1", "2", "01", "+1"])
}

fn path() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(key(), 1..4)
}

fn json() -> impl Strategy<Value = Json> {
    let floats = prop_oneof![
        prop::sample::select(vec![0.0, -0.0, 1.0, -1.5, 1e300, f64::MAX]),
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL,
    ];
    let scalar = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        (-2_i128..3).prop_map(Json::Integer),
        any::<i64>().prop_map(|integer| Json::Integer(integer.into())),
        any::<u64>().prop_map(|integer| Json::Integer(integer.into())),
        floats.prop_map(Json::Float),
        any::<String>().prop_map(Json::Text),
    ];
    scalar.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(List), members(inner).prop_map(Object)]
    })
}

/// Members of different keys, or the model would have to say which counts.
fn members(value: impl Strategy<Value = Json>) -> impl Strategy<Value = Vec<(String, Json)>> {
    prop::collection::btree_map(key().prop_map(String::from), value, 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (-2_i64..3).prop_map(Step::Integer),
        any::<i64>().prop_map(Step::Integer),
        prop::sample::select(vec![0.0, -1.0, 0.5, f64::MAX, f64::NAN, f64::INFINITY]).prop_map(Step::Float),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (path(), json()).prop_map(|(path, value)| Call::Put(path, value)),
        1 => members(json()).prop_map(Call::Merge),
        2 => path().prop_map(Call::Forget),
        1 => path().prop_map(Call::Pull),
        2 => (path(), step()).prop_map(|(path, step)| Call::Increment(path, step)),
        2 => (path(), step()).prop_map(|(path, step)| Call::Decrement(path, step)),
        2 => (path(), json()).prop_map(|(path, element)| Call::Push(path, element)),
        1 => Just(Call::Clear),
        1 => members(json()).prop_map(Call::Replace),
    ]
}

fn text(data: &Data) -> String {
    serde_json::to_string(&data.all()).unwrap()
}

/// As a cookie or a record brings it back.
fn opened_again(data: &Data) -> Data {
    let mut json = b"{".to_vec();
    data.write(&mut json).unwrap();
    json.push(b'}');
    Data::opened(&Arc::new(WipedBytes::from(json)), "~").unwrap().0
}

proptest! {
    #[test]
    fn every_sequence_of_calls_does_what_the_model_does(calls in prop::collection::vec((call(), any::<bool>()), 1..24)) {
        let (mut data, mut model) = (Data::default(), Object(Vec::new()));
        for (call, is_next_request) in calls {
            if is_next_request {
                let again = opened_again(&data);
                prop_assert_eq!(&again.read::<Map<String, Value>>().unwrap(), &data.all());
                data = again;
            }
            let (before, after) = (text(&data), call.on_model(&model));
            let changed = call.on_data(&mut data);
            prop_assert_eq!(changed.is_some(), after.is_some(), "{:?} on {}", call, before);
            // A call that fails leaves the data as they were, and a change is reported exactly where the text differs.
            prop_assert_eq!(changed.unwrap_or(false), text(&data) != before, "{:?} on {}", call, before);
            model = after.unwrap_or(model);
            prop_assert_eq!(&Json::of(&Value::Object(data.all())), &model, "{:?} on {}", call, before);
        }
    }

    #[test]
    fn what_is_put_is_got(before in members(json()), path in path(), value in json()) {
        let path = Path::from_segments(path);
        let mut data = Data::from(to_object(&Object(before).value()).unwrap());
        if data.put(&path, &to_json(&path, &value.value()).unwrap()).is_ok() {
            prop_assert!(data.contains(&path).unwrap());
            prop_assert_eq!(data.has(&path).unwrap(), value != Json::Null);
            for data in [opened_again(&data), data] {
                let got = data.get::<Value>(&path).unwrap().unwrap_or_default();
                prop_assert_eq!(Json::of(&got), value.clone());
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(members in members(json())) {
        let written = Object(members);
        let read = parse_object(written.value().to_string().as_bytes()).unwrap();
        prop_assert_eq!(Json::of(&Value::Object(read)), written);
    }
}
