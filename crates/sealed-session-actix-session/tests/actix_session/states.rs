//! What goes in comes out, and nothing else does.

use actix_session::storage::{LoadError, SessionStore as _, generate_session_key};
use sealed_session::testing::CookieJar;
use sealed_session_actix_session::SealedSessionStore;

use crate::support::{HOUR, State, again, builder, clock, loaded, sealed, state, store, whole};

#[pollster::test]
async fn a_state_comes_back_as_it_went_in() {
    let (store, _) = store();
    let texts = state(&[
        ("actix_identity.user_id", "\"Zoë\""),
        ("number", "340282366920938463463374607431768211455"),
        ("float", "1e400"),
        ("list", "[1, 2,{\"b\":0,\"a\":0}]"),
        ("nothing", "null"),
        ("", "\"\""),
    ]);
    let key = store.save(texts.clone(), &HOUR).await.unwrap();
    assert_eq!(loaded(&store, &key).await, Some(texts));
}

#[pollster::test]
async fn an_update_replaces_the_whole_state() {
    let (store, _) = store();
    let key = store.save(state(&[("a", "1"), ("b", "2")]), &HOUR).await.unwrap();
    let key = store.update(key, state(&[("b", "3"), ("c", "4")]), &HOUR).await.unwrap();
    assert_eq!(loaded(&store, &key).await, Some(state(&[("b", "3"), ("c", "4")])));
}

#[pollster::test]
async fn a_key_that_does_not_open_is_no_session_and_no_error() {
    let (store, _) = store();
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    let text = key.as_ref();
    for position in [0, 5, 20, text.len() / 2, text.len() - 1] {
        let other = if text.as_bytes()[position] == b'A' { "B" } else { "A" };
        let tampered = [&text[..position], other, &text[position + 1..]].concat();
        assert_eq!(loaded(&store, &tampered.try_into().unwrap()).await, None, "{position}");
    }
    for foreign in ["", "evil", "{\"user\":\"1\"}", "a=b; c=d"] {
        assert_eq!(loaded(&store, &foreign.to_owned().try_into().unwrap()).await, None, "{foreign}");
    }
    assert_eq!(loaded(&store, &generate_session_key()).await, None);
}

#[pollster::test]
async fn a_key_of_another_audience_or_ring_is_no_session() {
    let clock = clock();
    let here = builder(&clock).build().unwrap();
    let there = SealedSessionStore::new(here.with_audience("other").unwrap());
    let here = SealedSessionStore::new(here);
    let key = here.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    assert_eq!(loaded(&there, &key).await, None);
    assert_eq!(loaded(&sealed(builder(&clock)), &key).await, None);
    assert!(loaded(&here, &key).await.is_some());
}

#[pollster::test]
async fn an_empty_state_is_kept_nowhere() {
    let (store, _) = store();
    let key = store.save(State::new(), &HOUR).await.unwrap();
    assert_eq!((key.as_ref(), loaded(&store, &key).await), ("", None));
    let key = store.save(state(&[("a", "1")]), &HOUR).await.unwrap();
    let key = store.update(key, State::new(), &HOUR).await.unwrap();
    assert_eq!((key.as_ref(), loaded(&store, &key).await), ("", None));
}

#[pollster::test]
async fn data_that_another_library_wrote_are_told_apart_by_their_key() {
    let clock = clock();
    let native = builder(&clock).build().unwrap();
    let mut jar = CookieJar::new(clock);
    jar.visit(&native, |session| session.put("visits", &1)).unwrap();
    let key = jar.value("__Host-session").unwrap().to_owned().try_into().unwrap();
    let store = SealedSessionStore::new(native);
    let error = store.load(&key).await.unwrap_err();
    assert!(matches!(error, LoadError::Deserialization(_)), "{error}");
    assert!(whole(&error).contains("\"visits\""), "{}", whole(&error));
    // Its middleware goes on with an empty state, and writes that over it.
    let key = store.update(key, state(&[("a", "1")]), &HOUR).await.unwrap();
    assert_eq!(loaded(&store, &key).await, Some(state(&[("a", "1")])));
}

#[pollster::test]
async fn each_session_has_a_key_of_its_own_and_shows_nothing_of_its_state() {
    let (store, _) = store();
    let keys = [
        store.save(state(&[("user", "\"zoe-the-user\"")]), &HOUR).await.unwrap(),
        store.save(state(&[("user", "\"zoe-the-user\"")]), &HOUR).await.unwrap(),
    ];
    assert_ne!(keys[0].as_ref(), keys[1].as_ref());
    assert!(keys.iter().all(|key| !key.as_ref().contains("zoe")));
    // Both stand: one is not the other's.
    assert!(loaded(&store, &again(&keys[0])).await.is_some() && loaded(&store, &keys[1]).await.is_some());
}

#[test]
fn debug_output_shows_no_key() {
    let key = sealed_session::Key::generate().unwrap();
    let store = sealed_session::SessionManager::builder(key.clone()).build().unwrap();
    let shown = format!("{:?}", SealedSessionStore::new(store));
    assert!(shown.contains("SealedSessionStore") && !shown.contains(key.to_secret_text().as_str()), "{shown}");
}
