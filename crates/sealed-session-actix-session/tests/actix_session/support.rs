//! A store over a clock and a key in the hands of a test.

use std::collections::HashMap;
use std::error::Error;

use actix_session::storage::{SessionKey, SessionStore as _};
use sealed_session::testing::ManualClock;
use sealed_session::{Key, SessionManager, SessionManagerBuilder};
use sealed_session_actix_session::SealedSessionStore;
use time::Duration;

pub(crate) type State = HashMap<String, String>;

pub(crate) const HOUR: Duration = Duration::HOUR;

pub(crate) fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(1_795_000_000)
}

pub(crate) fn builder(clock: &ManualClock) -> SessionManagerBuilder {
    SessionManager::builder(Key::generate().unwrap()).audience("test").clock(clock.clone())
}

pub(crate) fn sealed(builder: SessionManagerBuilder) -> SealedSessionStore {
    SealedSessionStore::new(builder.build().unwrap())
}

/// A store without a server store, and its clock.
pub(crate) fn store() -> (SealedSessionStore, ManualClock) {
    let clock = clock();
    (sealed(builder(&clock)), clock)
}

pub(crate) fn state(members: &[(&str, &str)]) -> State {
    members.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

/// A state with so many bytes at one key.
pub(crate) fn large(bytes: usize) -> State {
    state(&[("cart", &"x".repeat(bytes))])
}

/// The largest state that a store takes, in bytes at its one key.
pub(crate) async fn most(store: &SealedSessionStore) -> usize {
    let (mut fits, mut does_not) = (0, 5000);
    while does_not - fits > 1 {
        let bytes = usize::midpoint(fits, does_not);
        if store.save(large(bytes), &HOUR).await.is_ok() { fits = bytes } else { does_not = bytes }
    }
    fits
}

/// As the client sends it back.
pub(crate) fn again(key: &SessionKey) -> SessionKey {
    key.as_ref().to_owned().try_into().unwrap()
}

/// The state behind a key, from a store that answers.
pub(crate) async fn loaded(store: &SealedSessionStore, key: &SessionKey) -> Option<State> {
    store.load(key).await.unwrap()
}

/// What an error says, and all that it was made from.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
