//! Whole sessions: what the store is for.

use std::sync::Arc;

use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::store::SqlStore;
use sealed_session::{CommitError, CookieStore, Key, Placement, RequestFacts, ResponseFacts};
use tokio::sync::Semaphore;

use super::place::Place;

const TASKS: u64 = 64;
const TIMES: u64 = 200;

/// Requests of one session that a server works on at once; with all of them at once nearly every write is in vain.
const AT_ONCE: usize = 4;

/// One of the servers that share a key and a table.
pub(crate) fn server(place: &Place, key: &Key) -> CookieStore {
    let records = SqlStore::builder(place.pool.clone()).table(&place.table).build().unwrap();
    let server = CookieStore::builder(key.clone()).audience("shop/test").store(records).timer(TokioTimer);
    server.placement(Placement::StoreOnly).build().unwrap()
}

/// The `Cookie` header of a session that holds this value.
pub(crate) async fn begun(server: &CookieStore, value: &str) -> Vec<u8> {
    let pending = server.begin(&RequestFacts::new());
    pending.session().await.unwrap().put("value", value).unwrap();
    let commit = pending.commit(&ResponseFacts::new(200)).await.unwrap();
    commit.set_cookies[0].split(';').next().unwrap().as_bytes().to_vec()
}

/// One request that counts one up.
async fn increment(server: &CookieStore, cookie: &[u8]) -> Result<(), CommitError> {
    let pending = server.begin(&RequestFacts::new().cookie_header(cookie));
    pending.session().await.unwrap().increment("count", 1).unwrap();
    pending.commit(&ResponseFacts::new(200)).await.map(|_| ())
}

pub(crate) async fn no_increment_of_two_servers_is_lost(place: &Place) {
    place.store_without_table(&Default::default()).create_table().await.unwrap();
    let key = Key::generate().unwrap();
    let servers = [(); 2].map(|()| (server(place, &key), Arc::new(Semaphore::new(AT_ONCE))));
    let cookie = begun(&servers[0].0, "begun").await;

    let tasks = servers.iter().cycle().zip(0..TASKS).map(|((server, free), _)| {
        let (server, free, cookie) = (server.clone(), free.clone(), cookie.clone());
        tokio::spawn(async move {
            for _ in 0..TIMES {
                let _turn = free.acquire().await.unwrap();
                // A request whose tries ran out is answered with 503 or 409, and its client repeats it.
                while let Err(error) = increment(&server, &cookie).await {
                    assert!(matches!(error, CommitError::Conflict), "{error}");
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }

    let pending = servers[1].0.begin(&RequestFacts::new().cookie_header(&cookie));
    let session = pending.session().await.unwrap();
    assert_eq!(session.get::<u64>("count").unwrap(), Some(TASKS * TIMES));
    assert_eq!(session.get::<String>("value").unwrap().as_deref(), Some("begun"));
}
