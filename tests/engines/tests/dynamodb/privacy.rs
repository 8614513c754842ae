//! What a thief of the table finds, and what a log may show.

use aws_sdk_dynamodb::types::AttributeValue;
use sealed_session::SystemClock;

use super::place::Place;
use crate::shared::sessions;

#[test]
fn the_table_holds_neither_the_session_nor_its_ids() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(SystemClock).await;
        sessions::a_dump_holds_neither_the_session_nor_its_ids(store, async || {
            let (mut dump, mut ids) = (Vec::new(), Vec::new());
            for (name, value) in place.items().await.into_iter().flatten() {
                dump.extend(name.as_bytes());
                match value {
                    AttributeValue::B(bytes) => {
                        if name == "id" {
                            ids.push(bytes.clone().into_inner());
                        }
                        dump.extend(bytes.into_inner());
                    }
                    AttributeValue::N(text) | AttributeValue::S(text) => dump.extend(text.as_bytes()),
                    other => panic!("{other:?}"),
                }
            }
            (dump, ids)
        })
        .await;
    });
}

#[test]
fn the_debug_form_holds_no_credentials_and_no_address() {
    let place = Place::new();
    let builder = place.builder(&place.client);
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(shown.contains(&place.table), "{shown}");
    for secret in ["127.0.0.1", "test-access-key-id", "test-secret-access-key"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
