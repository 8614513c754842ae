//! What a thief of the database finds, and what a log may show.

use sealed_session::{Key, RequestFacts};
use sealed_session_engine_tests::{assert_found, assert_nowhere};

use super::place::Place;
use super::sessions::{begun, server};

pub(crate) async fn the_table_holds_neither_the_session_nor_its_ids(place: &Place) {
    place.store_without_table(&Default::default()).create_table().await.unwrap();
    let key = Key::generate().unwrap();
    let server = server(place, &key);
    let marker = "card 4929 1234 5678 9012";
    let cookie = begun(&server, marker).await;

    let pending = server.begin(&RequestFacts::new().cookie_header(&cookie));
    let session = pending.session().await.unwrap();
    assert_eq!(session.get::<String>("value").unwrap().as_deref(), Some(marker));
    let public_id = session.id().unwrap();
    let sealed = cookie.split(|byte| *byte == b'=').nth(1).unwrap();

    let (dump, record_ids) = (place.dump().await, place.record_ids().await);
    assert_eq!(record_ids.len(), 1);
    assert_found(&dump, "the record's id", &record_ids[0]);
    assert_nowhere(&dump, "the session's data", marker.as_bytes());
    assert_nowhere(&dump, "the public id", public_id.as_bytes());
    assert_nowhere(&dump, "the public id's text", public_id.to_string().as_bytes());
    assert_nowhere(&dump, "the cookie", sealed);
    assert_nowhere(&dump, "the key", key.to_secret_text().as_bytes());
}

pub(crate) async fn the_debug_form_holds_no_address(place: &Place) {
    let builder = sealed_session::store::SqlStore::builder(place.pool.clone()).table(&place.table);
    let shown = format!("{:?} {builder:?} {:?}", place.pool, builder.clone().build().unwrap());
    assert!(shown.contains(&place.table), "{shown}");
    for secret in ["127.0.0.1", "sessions.sqlite", "root", "test@"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
