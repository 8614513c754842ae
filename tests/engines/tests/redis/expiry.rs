//! The engine's own expiry: it removes what nobody can see any more, and nothing else.

use redis::cmd;
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore as _, Updated};
use sealed_session_engine_tests::Runner;

use crate::support::Site;

/// Milliseconds until the engine removes the record: `-1` for never, `-2` for no such key.
async fn life_milliseconds(site: &Site, id: &RecordId) -> i64 {
    cmd("PTTL").arg(site.key_of(id)).query_async(&mut site.connection.clone()).await.unwrap()
}

/// That the engine keeps the record for so many seconds and about a minute more.
async fn assert_kept_for(site: &Site, id: &RecordId, seconds: i64) {
    let life = life_milliseconds(site, id).await;
    let (least, most) = (seconds * 1000, (seconds + 60) * 1000);
    assert!((least + 1..=most).contains(&life), "{life} ms for a record of {seconds} s");
}

#[test]
fn every_write_sets_an_expiry_that_is_never_earlier_than_the_records() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
        assert_kept_for(&site, &id, 100).await;
        assert_eq!(site.store.update(&id, site.record(2, 50), 1).await.unwrap(), Updated::Updated);
        assert_kept_for(&site, &id, 50).await;
        assert!(site.store.touch(&id, site.after(1000)).await.unwrap());
        assert_kept_for(&site, &id, 1000).await;
        // Earlier: nothing moves.
        assert!(site.store.touch(&id, site.after(10)).await.unwrap());
        assert_kept_for(&site, &id, 1000).await;
        // Of what is left, not of what was given first.
        site.clock.advance_seconds(900);
        assert_eq!(site.store.update(&id, site.record(3, 100), 2).await.unwrap(), Updated::Updated);
        assert_kept_for(&site, &id, 100).await;
    });
}

#[test]
fn a_record_that_has_ended_when_it_is_written_is_removed_too() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        let past = Record::new(1, Timestamp::from_unix_seconds(1), b"sealed".to_vec());
        assert_eq!(site.store.create(&id, past).await.unwrap(), Created::Created);
        assert_kept_for(&site, &id, 0).await;
    });
}

#[test]
fn the_longest_life_stays_within_what_the_engine_can_count() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        site.clock.set_unix_seconds(0);
        let endless = |version| Record::new(version, Timestamp::MAX, b"sealed".to_vec());
        assert_eq!(site.store.create(&id, endless(1)).await.unwrap(), Created::Created);
        assert_kept_for(&site, &id, (1 << 40) - 1).await;
        assert_eq!(site.store.update(&id, endless(2), 1).await.unwrap(), Updated::Updated);
        assert_kept_for(&site, &id, (1 << 40) - 1).await;
        assert!(site.store.touch(&id, Timestamp::MAX).await.unwrap());
        assert_kept_for(&site, &id, (1 << 40) - 1).await;
    });
}

#[test]
fn what_the_engine_removed_is_absent() {
    Runner::new().block_on(async {
        let (site, id) = (Site::new().await, RecordId::from_bytes([7; 16]));
        assert_eq!(site.store.create(&id, site.record(1, 100)).await.unwrap(), Created::Created);
        // As if its time had come.
        let () = cmd("PEXPIRE").arg(site.key_of(&id)).arg(0).query_async(&mut site.connection.clone()).await.unwrap();
        assert_eq!(life_milliseconds(&site, &id).await, -2);
        assert_eq!(site.store.load(&id).await.unwrap(), None);
        assert_eq!(site.store.update(&id, site.record(2, 100), 1).await.unwrap(), Updated::Missing);
        assert!(!site.store.touch(&id, site.after(200)).await.unwrap());
        assert_eq!(site.store.sweep(100).await.unwrap(), 0);
    });
}
