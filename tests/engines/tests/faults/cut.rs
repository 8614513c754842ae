//! A connection that is cut at each message of a call and of a request: behind it, and in the midst of the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, Updated};
use sealed_session::{Placement, Timestamp};
use sealed_session_engine_tests::Proxy;

use crate::site::{NOW_UNIX_SECONDS, Served, Site, count_one_up, until};

const ID: RecordId = RecordId::from_bytes([7; 16]);
const EXPIRES_AT: Timestamp = Timestamp::from_unix_seconds(NOW_UNIX_SECONDS + 60);

/// Bytes of a message that go through before its connection is cut.
const BYTES: [usize; 4] = [0, 1, 20, 300];

/// Long enough that a part of it is no whole.
fn record(version: u64) -> Record {
    Record::new(version, EXPIRES_AT, format!("sealed bytes of version {version}; ").repeat(100).into_bytes())
}

/// A driver that looks after its connections behind the answer adds a message now and then, and the reply that is to be cut is
/// not at its place: then all over again.
const ROUNDS_MAX: usize = 10;

pub(crate) fn an_update_whose_connection_is_cut_leaves_the_old_record_or_the_new<K: Served>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let (proxy, url) = site.proxy();
        let stores = [site.records().await, site.records_at(&url).await];
        let mut found = BTreeSet::new();
        for bytes in BYTES.into_iter().cycle().take(ROUNDS_MAX * BYTES.len()) {
            if bytes == BYTES[0] && found == BTreeSet::from([1, 2]) {
                break;
            }
            for messages in 0.. {
                let Some(version) = update_cut_behind(&proxy, &stores, messages, bytes).await else { break };
                found.extend(version);
            }
        }
        assert_eq!(found, BTreeSet::from([1, 2]), "the versions that stood behind a request and a reply that were cut");
    });
}

/// Writes version 2 over version 1. `None` when nothing was cut; otherwise the version that stands then, where the call has failed.
async fn update_cut_behind(
    proxy: &Proxy,
    [direct, cut]: &[Arc<dyn RecordStore>; 2],
    messages: usize,
    bytes: usize,
) -> Option<Option<u64>> {
    direct.destroy(&ID).await.unwrap();
    assert_eq!(direct.create(&ID, record(1)).await.unwrap(), Created::Created);
    until("the connection is made again", async || cut.load(&ID).await.is_ok()).await;

    proxy.cut_behind(messages, bytes);
    let answer = cut.update(&ID, record(2), 1).await;
    let was_cut = !proxy.awaits_cut();
    proxy.let_pass();

    let found = direct.load(&ID).await.unwrap().expect("the record is gone");
    let version = found.version;
    assert!(version <= 2 && found == record(version), "neither of the two: version {version}");
    let has_failed = answer.is_err();
    match answer {
        Ok(answer) => assert_eq!((answer, version), (Updated::Updated, 2), "behind {messages}, after {bytes} bytes"),
        Err(StoreError::Unavailable { .. } | StoreError::Timeout { .. }) if was_cut => {}
        Err(error) => panic!("behind {messages} messages, after {bytes} bytes: {error:?}"),
    }
    // Trying again works, on what is there.
    let next = record(version + 1);
    until("an update is made", async || {
        cut.update(&ID, next.clone(), version).await.is_ok_and(|answer| answer == Updated::Updated)
    })
    .await;
    assert_eq!(direct.load(&ID).await.unwrap(), Some(next));
    was_cut.then_some(has_failed.then_some(version))
}

pub(crate) fn a_request_whose_connection_is_cut_once_is_answered_and_counts_once<K: Served>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let (proxy, url) = site.proxy();
        let direct = site.server().await;
        let server = site.server_at(&url).await.placement(Placement::StoreOnly).build().unwrap();
        let mut browser = site.visitor(&direct).await;
        let mut counted = 0;
        for bytes in BYTES {
            for messages in 0.. {
                proxy.cut_behind(messages, bytes);
                let visited = browser.visit(&server, count_one_up).await;
                let was_cut = !proxy.awaits_cut();
                proxy.let_pass();
                let before = visited.unwrap_or_else(|failed| panic!("behind {messages}, after {bytes}: {failed:?}"));
                assert_eq!(before, Some(counted));
                counted += 1;
                assert_eq!(browser.clone().get(&direct, "count").await, Some(counted), "behind {messages}, {bytes}");
                if !was_cut {
                    // To load and to write, a request and a reply each, none of which is empty.
                    assert!(bytes > 0 || messages >= 4, "{messages} messages were cut");
                    break;
                }
            }
        }
    });
}
