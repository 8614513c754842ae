//! The table: what is in it, and how it is made.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use sealed_session::store::{Created, RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::unique_name;

use super::place::Place;
use crate::shared::calls::{ID, record};

#[test]
fn an_item_has_a_key_two_numbers_and_the_bytes() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        assert_eq!(store.create(&ID, record(u64::MAX)).await.unwrap(), Created::Created);
        let item: BTreeMap<_, _> = place.items().await.remove(0).into_iter().collect();
        let expected = [
            ("data", AttributeValue::B(b"sealed".to_vec().into())),
            ("expires_at", AttributeValue::N("4000000060".to_owned())),
            ("id", AttributeValue::B(vec![7; 16].into())),
            ("version", AttributeValue::N("18446744073709551615".to_owned())),
        ];
        assert_eq!(item, expected.map(|(name, value)| (name.to_owned(), value)).into());
    });
}

#[test]
fn the_application_names_the_key_and_the_expiry() {
    let place = Place::new();
    place.block_on(async {
        // Words of the service's own expressions, which a request could not name as they are.
        let builder = place.builder(&place.client).key_attribute("hash").expiry_attribute("ttl");
        let store = builder.clock(ManualClock::default()).build().unwrap();
        store.create_table().await.unwrap();
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Exists);
        assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
        let names: Vec<_> = place.items().await.remove(0).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"hash".to_owned()) && names.contains(&"ttl".to_owned()), "{names:?}");
    });
}

#[test]
fn the_service_is_told_which_attribute_is_the_expiry() {
    let place = Place::new();
    place.block_on(async {
        place.store(ManualClock::default()).await;
        let standing = place.client.describe_time_to_live().table_name(&place.table).send().await.unwrap();
        let standing = standing.time_to_live_description.unwrap();
        assert_eq!(standing.time_to_live_status, Some(TimeToLiveStatus::Enabled));
        assert_eq!(standing.attribute_name.as_deref(), Some("expires_at"));
    });
}

#[test]
fn create_table_changes_nothing_where_the_table_stands() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        store.create_table().await.unwrap();
        assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    });
}

#[test]
fn another_time_to_live_attribute_is_refused_and_left_alone() {
    let place = Place::new();
    place.block_on(async {
        place.store(ManualClock::default()).await;
        let store = place.builder(&place.client).expiry_attribute("ttl").build().unwrap();
        let error = store.create_table().await.unwrap_err();
        assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
        assert!(error.to_string().contains("expiry_attribute"), "{error}");
        let standing = place.client.describe_time_to_live().table_name(&place.table).send().await.unwrap();
        assert_eq!(standing.time_to_live_description.unwrap().attribute_name.as_deref(), Some("expires_at"));
    });
}

#[test]
fn two_tables_share_nothing() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        let table = unique_name("other");
        let other = place.builder(&place.client).table(&table).clock(ManualClock::default()).build().unwrap();
        other.create_table().await.unwrap();
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        assert_eq!(other.load(&ID).await.unwrap(), None);
        assert_eq!(other.create(&ID, record(2)).await.unwrap(), Created::Created);
        place.client.delete_table().table_name(&table).send().await.unwrap();
        assert_eq!(store.load(&ID).await.unwrap(), Some(record(1)));
    });
}
