//! Whole sessions: what a store is for, and what a thief of it finds.

use std::sync::Arc;
use std::time::Duration;

use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::store::RecordStore;
use sealed_session::{CommitError, Key, Placement, RequestFacts, ResponseFacts, SessionManager};
use sealed_session_engine_tests::{assert_found, assert_nowhere};
use tokio::sync::Semaphore;

/// Requests of one session that a server works on at once; with many more of them nearly every write is in vain.
const AT_ONCE: usize = 4;

/// One of the servers that share a key and a store.
pub(crate) fn server(records: impl RecordStore, key: &Key) -> SessionManager {
    let server = SessionManager::builder(key.clone()).audience("shop/test").store(records).timer(TokioTimer);
    // The stand-in may be slow, and what is tested here is not how long it takes.
    server.store_timeout(Duration::from_secs(60)).placement(Placement::StoreOnly).build().unwrap()
}

/// The `Cookie` header of a session that holds this value.
pub(crate) async fn begun(server: &SessionManager, value: &str) -> Vec<u8> {
    let pending = server.begin(&RequestFacts::new());
    pending.session().await.unwrap().put("value", value).unwrap();
    let commit = pending.commit(&ResponseFacts::new(200)).await.unwrap();
    commit.set_cookies.last().unwrap().split(';').next().unwrap().as_bytes().to_vec()
}

/// One request that counts one up.
pub(crate) async fn increment(server: &SessionManager, cookie: &[u8]) -> Result<(), CommitError> {
    let pending = server.begin(&RequestFacts::new().cookie_header(cookie));
    pending.session().await.unwrap().increment("count", 1).unwrap();
    pending.commit(&ResponseFacts::new(200)).await.map(drop).map_err(|failed| failed.error)
}

pub(crate) async fn assert_counted(server: &SessionManager, cookie: &[u8], total: u64) {
    let pending = server.begin(&RequestFacts::new().cookie_header(cookie));
    let session = pending.session().await.unwrap();
    assert_eq!(session.get::<u64>("count").unwrap(), Some(total));
}

/// So many tasks increment so many times each, half of them at either server.
pub(crate) async fn no_increment_of_two_servers_is_lost(records: [impl RecordStore; 2], tasks: u64, times: u64) {
    let key = Key::generate().unwrap();
    let servers = records.map(|records| (server(records, &key), Arc::new(Semaphore::new(AT_ONCE))));
    let cookie = begun(&servers[0].0, "begun").await;
    let running = servers.iter().cycle().zip(0..tasks).map(|((server, free), _)| {
        let (server, free, cookie) = (server.clone(), free.clone(), cookie.clone());
        tokio::spawn(async move {
            for _ in 0..times {
                let _turn = free.acquire().await.unwrap();
                // A request whose tries ran out is answered with 503 or 409, and its client repeats it.
                while let Err(error) = increment(&server, &cookie).await {
                    assert!(matches!(error, CommitError::Conflict), "{error}");
                }
            }
        })
    });
    for task in running.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_counted(&servers[1].0, &cookie, tasks * times).await;
}

/// `dump` is everything that the engine would hand to a thief of its data, and the ids of the records in it.
pub(crate) async fn a_dump_holds_neither_the_session_nor_its_ids(
    records: impl RecordStore,
    dump: impl AsyncFn() -> (Vec<u8>, Vec<Vec<u8>>),
) {
    let key = Key::generate().unwrap();
    let server = server(records, &key);
    let marker = "card 4929 1234 5678 9012";
    let cookie = begun(&server, marker).await;

    let pending = server.begin(&RequestFacts::new().cookie_header(&cookie));
    let session = pending.session().await.unwrap();
    assert_eq!(session.get::<String>("value").unwrap().as_deref(), Some(marker));
    let public_id = session.id().unwrap();
    let sealed = cookie.split(|byte| *byte == b'=').nth(1).unwrap();

    let (dump, record_ids) = dump().await;
    assert_eq!(record_ids.len(), 1);
    assert_found(&dump, "the record's id", &record_ids[0]);
    assert_nowhere(&dump, "the session's data", marker.as_bytes());
    assert_nowhere(&dump, "the public id", public_id.as_bytes());
    assert_nowhere(&dump, "the public id's text", public_id.to_string().as_bytes());
    assert_nowhere(&dump, "the cookie", sealed);
    assert_nowhere(&dump, "the key", key.to_secret_text().as_bytes());
}
