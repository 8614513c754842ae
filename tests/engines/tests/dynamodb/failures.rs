//! What the application is told when the service cannot answer.

use aws_sdk_dynamodb::types::AttributeValue;
use sealed_session::Timestamp;
use sealed_session::store::{Created, RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::{Proxy, free_port};

use super::place::{Place, client};
use crate::shared::calls::{ID, record};

#[test]
fn a_missing_table_is_an_error_that_names_the_mend() {
    let place = Place::new();
    place.block_on(async {
        let store = place.builder(&place.client).build().unwrap();
        for error in [
            store.load(&ID).await.unwrap_err(),
            store.create(&ID, record(1)).await.unwrap_err(),
            store.update(&ID, record(2), 1).await.unwrap_err(),
            store.touch(&ID, Timestamp::MAX).await.unwrap_err(),
            store.destroy(&ID).await.unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
            for part in [&place.table, "DynamoDbStore::create_table"] {
                assert!(error.to_string().contains(part), "{error}");
            }
        }
    });
}

#[test]
fn a_service_that_is_not_there_is_unavailable() {
    let place = Place::new();
    place.block_on(async {
        let store = place.builder(&client(&format!("http://127.0.0.1:{}", free_port()))).build().unwrap();
        for error in [store.load(&ID).await.unwrap_err(), store.create(&ID, record(1)).await.unwrap_err()] {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    });
}

#[test]
fn an_item_that_is_no_record_is_corrupt() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        place.set(&ID, "version", AttributeValue::S("one".to_owned())).await;
        for error in [store.load(&ID).await.unwrap_err(), store.update(&ID, record(2), 1).await.unwrap_err()] {
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
            assert!(error.to_string().contains("`version`"), "{error}");
        }
        store.destroy(&ID).await.unwrap();
        assert_eq!(store.load(&ID).await.unwrap(), None);
    });
}

#[test]
fn a_connection_that_is_refused_serves_again_when_the_service_is_back() {
    let place = Place::new();
    let (mut proxy, url) = Proxy::before(&place.url);
    let store = place.block_on(async {
        place.store(ManualClock::default()).await;
        place.builder(&client(&url)).clock(ManualClock::default()).build().unwrap()
    });
    proxy.close();
    let error = place.block_on(store.create(&ID, record(1))).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    proxy.reopen();
    assert_eq!(place.block_on(store.create(&ID, record(1))).unwrap(), Created::Created);
}
