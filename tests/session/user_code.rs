//! An application's own code that a session calls may call that session: it holds no lock then, and comes to an end.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use sealed_session::events::{Event, Observer};
use sealed_session::{Session, SessionError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::support::Site;

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

fn looked() -> u64 {
    SESSION.with_borrow(|session| session.as_ref().map_or(0, |session| session.get_or("other", 0).unwrap()))
}

/// A type that looks at the session while it is read and written.
struct Looks(u64);

impl<'de> Deserialize<'de> for Looks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|number| Self(number + looked()))
    }
}

impl Serialize for Looks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0 + looked())
    }
}

#[derive(Deserialize)]
struct Whole {
    number: Looks,
}

#[test]
fn a_type_may_look_at_the_session_that_it_is_read_from_and_written_to() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "other", 10);
    browser.visit(&store, |session| {
        SESSION.set(Some(session.clone()));
        session.put("number", &Looks(1)).unwrap();
        assert_eq!(session.get::<Looks>("number").unwrap().unwrap().0, 21);
        assert_eq!(session.read::<Whole>().unwrap().number.0, 21);
        assert_eq!(session.pull::<Looks>("number").unwrap().unwrap().0, 21);
        assert!(!session.has("number").unwrap());
        session.flash("number", &Looks(1)).unwrap();
    });
    browser.visit(&store, |session| {
        SESSION.set(Some(session.clone()));
        assert_eq!(session.flash_messages().get::<Looks>("number").unwrap().unwrap().0, 21);
    });
    SESSION.set(None);
}

/// Takes the value itself while it is pulled.
struct Thief;

impl<'de> Deserialize<'de> for Thief {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?;
        let session = SESSION.take();
        if let Some(session) = session {
            assert_eq!(session.pull::<u64>("ticket").unwrap(), Some(7));
        }
        Ok(Self)
    }
}

#[test]
fn a_value_that_another_call_takes_while_it_is_read_is_pulled_once() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    site.browser().visit(&store, |session| {
        session.put("ticket", &7).unwrap();
        SESSION.set(Some(session.clone()));
        assert!(session.pull::<Thief>("ticket").unwrap().is_none());
    });
}

/// Writes to a key of the session while it is pulled.
struct Writes;

thread_local! {
    static WRITTEN: RefCell<(&'static str, u64)> = const { RefCell::new(("", 0)) };
}

impl<'de> Deserialize<'de> for Writes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?;
        let (key, times) = WRITTEN.with_borrow_mut(|(key, times)| {
            *times += 1;
            (*key, *times)
        });
        assert!(times < 10_000, "`pull` does not return");
        SESSION.with_borrow(|session| session.as_ref().unwrap().put(key, &times)).unwrap();
        Ok(Self)
    }
}

#[test]
fn a_value_whose_type_writes_to_the_session_is_pulled_or_an_error() {
    let site = Site::new();
    let store = site.cookie_only().build().unwrap();
    for (written, is_pulled) in [("other", true), ("ticket", false)] {
        site.browser().visit(&store, |session| {
            session.put("ticket", &0).unwrap();
            SESSION.set(Some(session.clone()));
            WRITTEN.set((written, 0));
            match session.pull::<Writes>("ticket") {
                Ok(pulled) => assert!(is_pulled && pulled.is_some() && !session.has("ticket").unwrap()),
                Err(error) => {
                    assert!(!is_pulled && session.has("ticket").unwrap());
                    assert!(error.to_string().contains("changed each time that it was read"), "{error}");
                }
            }
        });
    }
    SESSION.set(None);
}

/// Writes to the session that it hears of.
#[derive(Default)]
struct Writer(OnceLock<Session>);

impl Observer for Writer {
    fn observe(&self, event: &Event) {
        if let (Some(session), Event::WriteAfterCommit { .. }) = (self.0.get(), event) {
            assert!(matches!(session.put("heard", &1), Err(SessionError::Committed)));
        }
    }
}

#[test]
fn an_observer_may_write_to_the_session_that_it_hears_of() {
    let site = Site::new();
    let observer = Arc::new(Writer::default());
    let store = site.cookie_only().observer(Arc::clone(&observer)).build().unwrap();
    let request = site.browser().begin(&store);
    let session = request.session();
    session.put("user", &42).unwrap();
    request.commit();
    observer.0.set(session.clone()).unwrap();
    site.events.take();

    assert!(matches!(session.put("user", &43), Err(SessionError::Committed)));
    assert_eq!(site.events.take_names(), ["WriteAfterCommit"]);
}
