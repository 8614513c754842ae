//! What a thief of the collection finds, and what a log may show.

use mongodb::bson::{Bson, doc};
use sealed_session::SystemClock;

use super::place::Place;
use crate::shared::sessions;

#[test]
fn the_collection_holds_neither_the_session_nor_its_ids() {
    let place = Place::new();
    place.block_on(async {
        let store = place.store(SystemClock).await;
        sessions::a_dump_holds_neither_the_session_nor_its_ids(store, async || {
            let ids = place.documents().distinct("_id", doc! {}).await.unwrap();
            let ids = ids.into_iter().map(|id| match id {
                Bson::Binary(id) => id.bytes,
                other => panic!("{other:?}"),
            });
            (place.dump().await, ids.collect())
        })
        .await;
    });
}

#[test]
fn the_debug_form_holds_no_address() {
    let place = Place::new();
    let builder = place.builder(&place.database);
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(shown.contains(&place.collection), "{shown}");
    assert!(!shown.contains("127.0.0.1"), "{shown}");
}
