//! A law: what any session holds comes back from its cookie and from the store.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use sealed_session::json::{Map, Value};
use sealed_session::{Path, Placement, Session};
use serde_json::json;

use crate::support::Site;

fn key() -> impl Strategy<Value = String> {
    // Dots, quotes and the crate's own names among them.
    prop_oneof!["[a-z.~\"é]{1,6}", Just("errors".to_owned()), Just("input".to_owned()), Just("flash".to_owned())]
        .prop_filter("reserved", |key| key != "~")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(key(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    btree_map(key(), value(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn errors() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    btree_map(key(), vec("\\PC{1,8}", 1..3), 0..3).prop_map(|map| map.into_iter().collect())
}

/// What one request finds of the last one: data, messages, old input, errors.
fn found(session: &Session, fields: &[String]) -> Value {
    let input: Map<String, Value> = fields
        .iter()
        .filter_map(|field| Some((field.clone(), session.old(Path::from_segments([field])).unwrap()?)))
        .collect();
    json!([session.all(), session.flash_messages().all(), input, session.all_errors()])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_session_comes_back_from_its_cookie_and_from_the_store(
        data in object(), flash in object(), input in object(), errors in errors(), marks_first in any::<bool>(),
    ) {
        for placement in [Placement::Spill, Placement::StoreOnly] {
            let site = Site::new();
            let store = site.with_records().placement(placement).build().unwrap();
            let mut browser = site.browser();
            let marked = data.keys().next().filter(|_| marks_first);
            browser.visit(&store, |session| {
                session.merge(&data).unwrap();
                session.flash_all(&flash).unwrap();
                session.flash_input(&input).unwrap();
                session.flash_errors(&errors.iter().cloned().collect::<BTreeMap<_, _>>()).unwrap();
                if let Some(key) = marked {
                    session.server_only(key).unwrap();
                }
            });
            let fields: Vec<_> = input.keys().cloned().collect();
            // Null input reads as none.
            let present: Map<_, _> = input.clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
            if marked.is_some() {
                prop_assert!(site.opened(&store, &browser).payload().is_none());
            }
            let (read, _) = browser.visit(&store, |session| found(session, &fields));
            prop_assert_eq!(read, json!([data, flash, present, errors]));
            // Used up, and the data are still there.
            let (read, _) = browser.visit(&store, |session| found(session, &fields));
            prop_assert_eq!(read, json!([data, {}, {}, []]));
        }
    }
}
