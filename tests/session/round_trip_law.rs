//! The law behind the data: what is written is what is read, wherever it was kept.

use proptest::prelude::*;
use sealed_session::Placement;
use serde_json::{Map, Value};

use crate::support::Site;

/// Any name but the crate's own, and those with which `serde_json` marks its own values.
fn key() -> impl Strategy<Value = String> {
    let allowed = |key: &String| key != "~" && !key.starts_with("$serde_json::private::");
    prop_oneof!["[a-z]{0,8}", any::<String>()].prop_filter("reserved", allowed)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Finite, subnormal and negative zero alike.
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter_map("finite", |number| serde_json::Number::from_f64(number).map(Value::from)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(key(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_data_is_read_as_it_was_written(
        members in proptest::collection::btree_map(key(), value(), 1..6),
        writes_whole in any::<bool>(),
    ) {
        let data: Map<String, Value> = members.into_iter().collect();
        let site = Site::new();
        for placement in [Placement::Spill, Placement::StoreOnly] {
            let store = site.with_records().placement(placement).build().unwrap();
            let mut browser = site.browser();
            browser.visit(&store, |session| {
                if writes_whole { session.replace(&data) } else { session.merge(&data) }.unwrap();
            });
            let (read, response) = browser.visit(&store, sealed_session::Session::all);
            prop_assert_eq!(&read, &data);
            // To the bit, which comparing floats does not tell.
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&data).unwrap());
            prop_assert!(response.set_cookies.is_empty());

            let (_, equal) = browser.visit(&store, |session| session.replace(&data).unwrap());
            prop_assert!(equal.set_cookies.is_empty(), "an equal value is no change");
        }
    }
}
