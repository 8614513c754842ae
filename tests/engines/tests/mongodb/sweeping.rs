//! What a sweep removes.

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::sweep_by_command;

use super::place::Place;

fn expiring_at(number: u8, seconds: u64) -> (RecordId, Record) {
    let expires_at = Timestamp::from_unix_seconds(seconds);
    (RecordId::from_bytes([number; 16]), Record::new(1, expires_at, b"sealed".to_vec()))
}

#[test]
fn exactly_what_has_expired_is_removed_up_to_the_limit() {
    let place = Place::new();
    place.block_on(async {
        // Ahead of the server's clock, so that it deletes nothing by itself; the last one is beyond its dates.
        let clock = ManualClock::at_unix_seconds(4_000_000_000);
        let store = place.store(clock.clone()).await;
        let expiries = [4_000_000_001, 4_000_000_002, 4_000_000_002, 4_000_000_003, 300_000_000_000];
        for (number, seconds) in (1..).zip(expiries) {
            let (id, record) = expiring_at(number, seconds);
            assert_eq!(store.create(&id, record).await.unwrap(), Created::Created);
        }
        for (now, limit, removed) in [
            (4_000_000_000, usize::MAX, 0),
            (4_000_000_002, 0, 0),
            (4_000_000_002, 2, 2),
            (4_000_000_002, usize::MAX, 1),
            (299_999_999_999, usize::MAX, 1),
            (299_999_999_999, usize::MAX, 0),
            (300_000_000_000, usize::MAX, 1),
        ] {
            clock.set_unix_seconds(now);
            assert_eq!(store.sweep(limit).await.unwrap(), removed, "at {now}, {limit} at most");
        }
        assert_eq!(place.documents().count_documents(doc! {}).await.unwrap(), 0);
    });
}

#[test]
fn more_than_a_batch_is_removed_in_one_call() {
    let place = Place::new();
    place.block_on(async {
        let clock = ManualClock::at_unix_seconds(4_000_000_060);
        let store = place.store(clock).await;
        let document = |number: u32| -> Document {
            let id = Binary { subtype: BinarySubtype::Generic, bytes: number.to_be_bytes().repeat(4) };
            doc! { "_id": id, "expires_at": 4_000_000_060_i64, "purge_at": DateTime::from_millis(4_000_000_060_000) }
        };
        place.documents().insert_many((0..1100).map(document)).await.unwrap();
        assert_eq!(store.sweep(1050).await.unwrap(), 1050);
        assert_eq!(store.sweep(usize::MAX).await.unwrap(), 50);
    });
}

#[test]
fn the_command_removes_what_has_expired() {
    let place = Place::new();
    place.block_on(async {
        // Without the index, by which the server would be the first. The command goes by the system's clock.
        let store = place.builder(&place.database).clock(ManualClock::at_unix_seconds(1000)).build().unwrap();
        for (number, seconds) in [(1, 1060), (2, 1060), (3, 300_000_000_000)] {
            let (id, record) = expiring_at(number, seconds);
            assert_eq!(store.create(&id, record).await.unwrap(), Created::Created);
        }
    });
    let url = place.url.replace("/?", &format!("/{}?", place.database.name()));
    assert_eq!(sweep_by_command("mongodb", &url, &place.collection), "removed 2 expired records\n");
    assert_eq!(place.block_on(place.documents().count_documents(doc! {}).into_future()).unwrap(), 1);
}
