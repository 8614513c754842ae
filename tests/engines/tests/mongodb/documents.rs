//! What the collection holds, and its index.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, doc};
use sealed_session::Timestamp;
use sealed_session::store::{Created, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_mongodb::MongoDbStore;

use super::place::Place;
use crate::shared::calls::{ID, record};

fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

#[test]
fn a_document_has_its_id_two_numbers_a_date_and_the_bytes() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        assert_eq!(store.create(&ID, record(u64::MAX)).await.unwrap(), Created::Created);
        let expected = doc! {
            "_id": binary(&[7; 16]),
            "version": -1_i64,
            "expires_at": 4_000_000_060_i64,
            "purge_at": DateTime::from_millis(4_000_000_060_000),
            "data": binary(b"sealed"),
        };
        assert_eq!(place.documents().find_one(doc! {}).await.unwrap(), Some(expected));
    });
}

#[test]
fn the_date_follows_the_expiry_wherever_it_moves() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        let date = async || place.documents().find_one(doc! {}).await.unwrap().unwrap().remove("purge_at");
        assert!(store.touch(&ID, Timestamp::from_unix_seconds(4_000_000_090)).await.unwrap());
        assert_eq!(date().await, Some(DateTime::from_millis(4_000_000_090_000).into()));
        assert!(store.touch(&ID, Timestamp::from_unix_seconds(4_000_000_070)).await.unwrap());
        assert_eq!(date().await, Some(DateTime::from_millis(4_000_000_090_000).into()));
        let _ = store.update(&ID, record(2), 1).await.unwrap();
        assert_eq!(date().await, Some(DateTime::from_millis(4_000_000_060_000).into()));
    });
}

#[test]
fn the_server_is_told_to_delete_a_minute_after_the_expiry() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(ManualClock::default()).await;
        // A second time changes nothing.
        store.create_index().await.unwrap();
        let mut indexes = place.documents().list_indexes().await.unwrap();
        let mut found = Vec::new();
        while indexes.advance().await.unwrap() {
            let index = indexes.deserialize_current().unwrap();
            let after = index.options.and_then(|options| options.expire_after);
            found.extend(after.map(|after| (index.keys, after.as_secs())));
        }
        assert_eq!(found, [(doc! { "purge_at": 1 }, 60)]);
    });
}

#[test]
fn two_collections_share_nothing() {
    let place = Place::new();
    let other = Place::new();
    place.block_on(async {
        let (store, other) = (place.store(ManualClock::default()).await, other.store(ManualClock::default()).await);
        assert_eq!(store.create(&ID, record(1)).await.unwrap(), Created::Created);
        assert_eq!(other.load(&ID).await.unwrap(), None);
    });
}

#[test]
fn a_name_that_the_server_would_refuse_is_refused_and_not_repeated() {
    let place = Place::new();
    let long = "secret".repeat(21);
    for name in ["", "secret$", "secret\0", "system.secret", &long] {
        let error = MongoDbStore::builder(&place.database).collection(name).build().unwrap_err();
        assert_eq!(error.setting(), "collection");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
