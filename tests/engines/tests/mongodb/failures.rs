//! What the application is told when the server cannot answer.

use mongodb::bson::{Bson, doc};
use sealed_session::store::{Created, RecordStore, StoreError};
use sealed_session::testing::ManualClock;
use sealed_session::{Key, RequestFacts, ResponseFacts, SystemClock};
use sealed_session_engine_tests::{Proxy, free_port};

use super::place::{Place, database};
use crate::shared::calls::{ID, record};
use crate::shared::sessions::{assert_counted, begun, increment, server};

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let place = Place::new();
    place.block_on(async {
        let url = format!("mongodb://127.0.0.1:{}/?serverSelectionTimeoutMS=50", free_port());
        let store = place.builder(&database(&url).await).build().unwrap();
        for error in [store.load(&ID).await.unwrap_err(), store.create(&ID, record(1)).await.unwrap_err()] {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_document_that_is_no_record_is_corrupt() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        for (field, value) in [
            ("version", Bson::Double(1.0)),
            ("expires_at", Bson::Int64(1 << 40)),
            ("data", Bson::String("sealed".to_owned())),
        ] {
            assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
            place.documents().update_one(doc! {}, doc! { "$set": { field: value } }).await.unwrap();
            let error = store.load(&ID).await.unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
            assert!(error.to_string().contains(field), "{error}");
            store.destroy(&ID).await.unwrap();
        }
    });
}

#[test]
fn what_the_server_refuses_is_told_by_its_code_and_without_the_document() {
    let place = Place::new();
    place.block_on(async {
        // Another index of the same name: the server's message would say so, and ours gives its code.
        let store = place.builder(&place.database).build().unwrap();
        let other = mongodb::IndexModel::builder().keys(doc! { "purge_at": 1 }).build();
        place.documents().create_index(other).await.unwrap();
        let error = store.create_index().await.unwrap_err();
        assert!(matches!(error, StoreError::Other { .. }), "{error:?}");
        assert!(error.to_string().contains("error code 8"), "{error}");
        assert!(!error.to_string().contains("purge_at"), "{error}");
    });
}

#[test]
fn a_write_whose_answer_is_lost_is_unavailable_and_stands() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let quiet = format!("{url}&serverMonitoringMode=poll&heartbeatFrequencyMS=3600000&retryWrites=false");
        let store = place.builder(&database(&quiet).await).clock(ManualClock::default()).build().unwrap();
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        proxy.cut_next_reply_after(0);
        let error = store.update(&ID, record(2), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        let behind = place.builder(&place.database).clock(ManualClock::default()).build().unwrap();
        assert_eq!(behind.load(&ID).await.unwrap(), Some(record(2)));
    });
}

#[test]
fn a_session_whose_write_lost_its_answer_has_counted_once() {
    let place = Place::new();
    let (proxy, url) = Proxy::before(&place.url);
    place.block_on(async {
        let quiet = format!("{url}&serverMonitoringMode=poll&heartbeatFrequencyMS=500");
        let store = place.builder(&database(&quiet).await).clock(SystemClock).build().unwrap();
        let server = server(store, &Key::generate().unwrap());
        let cookie = begun(&server, "begun").await;
        let pending = server.begin(&RequestFacts::new().cookie_header(&cookie));
        pending.session().await.unwrap().increment("count", 1).unwrap();
        proxy.cut_next_reply_after(0);
        let _ = pending.commit(&ResponseFacts::new(200)).await.unwrap();
        assert!(!proxy.awaits_cut());
        increment(&server, &cookie).await.unwrap();
        assert_counted(&server, &cookie, 2).await;
    });
}
