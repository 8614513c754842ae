//! A connection that is cut at each message of a call and of a request: behind it, and in the midst of the next.

use sealed_session::store::{Created, Updated};
use sealed_session::{Placement, Record, RecordId, StoreError, Timestamp};

use crate::site::{NOW_UNIX_SECONDS, Served, Site, count_one_up, until};

const ID: RecordId = RecordId::from_bytes([7; 16]);
const EXPIRES_AT: Timestamp = Timestamp::from_unix_seconds(NOW_UNIX_SECONDS + 60);

/// Bytes of a message that go through before its connection is cut.
const BYTES: [usize; 4] = [0, 1, 20, 300];

/// Long enough that a part of it is no whole.
fn record(version: u64) -> Record {
    Record::new(version, EXPIRES_AT, format!("sealed bytes of version {version}; ").repeat(100).into_bytes())
}

pub(crate) fn an_update_whose_connection_is_cut_leaves_the_old_record_or_the_new<K: Served>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let (proxy, url) = site.proxy();
        let (direct, cut) = (site.records().await, site.records_at(&url).await);
        let (mut found_old, mut found_new) = (false, false);
        for bytes in BYTES {
            for messages in 0.. {
                direct.destroy(&ID).await.unwrap();
                assert_eq!(direct.create(&ID, record(1)).await.unwrap(), Created::Created);
                until("the connection is made again", async || cut.load(&ID).await.is_ok()).await;

                proxy.cut_behind(messages, bytes);
                let answer = cut.update(&ID, record(2), 1).await;
                let was_cut = !proxy.awaits_cut();
                proxy.let_pass();

                let found = direct.load(&ID).await.unwrap().expect("the record is gone");
                assert!(found == record(1) || found == record(2), "neither of the two: version {}", found.version);
                let is_new = found == record(2);
                match answer {
                    Ok(answer) => assert_eq!((answer, is_new), (Updated::Updated, true), "behind {messages}, {bytes}"),
                    Err(StoreError::Unavailable { .. } | StoreError::Timeout { .. }) if was_cut => {
                        found_old |= !is_new;
                        found_new |= is_new;
                    }
                    Err(error) => panic!("behind {messages} messages, after {bytes} bytes: {error:?}"),
                }
                // Trying again works, on what is there.
                let next = record(found.version + 1);
                until("an update is made", async || {
                    cut.update(&ID, next.clone(), found.version).await.is_ok_and(|answer| answer == Updated::Updated)
                })
                .await;
                assert_eq!(direct.load(&ID).await.unwrap(), Some(next));
                if !was_cut {
                    break;
                }
            }
        }
        assert!(found_old && found_new, "the cuts met the request and the reply: {found_old}, {found_new}");
    });
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
