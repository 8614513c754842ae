//! Behaviour, section 6: what `tracing` is told of sessions.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use sealed_session::adapter::tracing::TracingObserver;
use sealed_session::events::{Event, Observer as _};
use sealed_session::store::MemoryStore;
use sealed_session::{Key, Reason, RequestFacts, ResponseFacts, Session, SessionManager};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

/// An event as a subscriber gets it.
#[derive(Debug)]
struct Told {
    level: Level,
    target: String,
    fields: BTreeMap<String, String>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

/// Remembers every event of every level.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<Vec<Told>>>);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let metadata = event.metadata();
        let mut told =
            Told { level: *metadata.level(), target: metadata.target().to_owned(), fields: BTreeMap::default() };
        event.record(&mut told);
        // The dispatcher's own crates may speak too: only what is ours is counted.
        if told.fields.contains_key("event") {
            self.0.lock().unwrap().push(told);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is told while this runs.
fn told(run: impl FnOnce()) -> Vec<Told> {
    // `tracing` remembers for the whole process whether anybody is interested in an event, and asks the thread that tells
    // it first: so all that these tests tell is told here, and one at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = Listener::default();
    tracing::subscriber::with_default(listener.clone(), run);
    std::mem::take(&mut *listener.0.lock().unwrap())
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().filter_map(|told| told.fields.get("event")).map(String::as_str).collect()
}

/// Level and fields of the one event that the observer makes of this one.
fn observed(event: &Event) -> (Level, BTreeMap<String, String>) {
    let mut told = told(|| TracingObserver.observe(event));
    assert_eq!(told.len(), 1, "{told:?}");
    let told = told.remove(0);
    assert_eq!(told.target, "sealed_session");
    (told.level, told.fields)
}

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn store() -> SessionManager {
    SessionManager::builder(Key::generate().unwrap())
        .audience("shop/test")
        .store(MemoryStore::new())
        .observer(TracingObserver)
        .build()
        .unwrap()
}

/// One request with these cookies, and the cookie of its response.
fn visit(store: &SessionManager, cookie: &str, handle: impl FnOnce(&Session)) -> Option<String> {
    let pending = store.begin(&RequestFacts::new().cookie_header(cookie.as_bytes()));
    handle(&pollster::block_on(pending.session()).unwrap());
    let commit = pollster::block_on(pending.commit(&ResponseFacts::new(200).cache_control(b"private"))).unwrap();
    commit.set_cookies.first().map(|line| line.split(';').next().unwrap().to_owned())
}

#[test]
fn a_request_is_told_in_order_with_its_public_id() {
    let mut id = String::new();
    let told = told(|| {
        visit(&store(), "", |session| {
            session.put("user", &42).unwrap();
            id = session.id().unwrap().to_string();
        });
    });
    assert_eq!(names(&told), ["session.initiated", "session.rejected", "session.committed"]);
    assert_eq!(told[0].fields, fields(&[("event", "session.initiated")]));
    assert_eq!(told[2].fields, fields(&[("event", "session.committed"), ("id", &id)]));
}

#[test]
fn a_login_is_told_with_the_ids_before_and_after() {
    let store = store();
    let mut cookie = None;
    told(|| cookie = visit(&store, "", |session| session.put("user", &1).unwrap()));
    let cookie = cookie.unwrap();
    let (mut from, mut to) = (String::new(), String::new());
    let told = told(|| {
        visit(&store, &cookie, |session| {
            from = session.id().unwrap().to_string();
            session.regenerate().unwrap();
            to = session.id().unwrap().to_string();
        });
    });
    assert_eq!(names(&told), ["session.initiated", "session.migrated", "session.committed"]);
    assert_eq!(told[0].fields["id"], from);
    assert_eq!(told[1].fields, fields(&[("event", "session.migrated"), ("from", &from), ("to", &to)]));
    assert_eq!(told[1].level, Level::DEBUG);
}

#[test]
fn every_reason_is_told_by_its_code_and_none_louder_than_info() {
    for reason in Reason::ALL {
        let (level, told) = observed(&Event::Rejected { reason });
        assert_eq!(told, fields(&[("event", "session.rejected"), ("reason", reason.as_str())]));
        let expected = match reason {
            Reason::Absent => Level::TRACE,
            Reason::ExpiredIdle | Reason::ExpiredAbsolute => Level::DEBUG,
            _ => Level::INFO,
        };
        assert_eq!(level, expected, "{reason}");
    }
}

#[test]
fn what_an_operator_is_to_see_is_a_warning_and_says_what_is_wrong() {
    let problem = "connection refused";
    for (event, expected) in [
        (
            Event::LoadFailed { problem: problem.to_owned() },
            fields(&[("event", "session.load_failed"), ("problem", problem)]),
        ),
        (
            Event::CommitFailed { problem: problem.to_owned() },
            fields(&[("event", "session.commit_failed"), ("problem", problem)]),
        ),
        (
            Event::QuestionableSetting { setting: "audience", advice: "name it" },
            fields(&[("event", "session.questionable_setting"), ("setting", "audience"), ("advice", "name it")]),
        ),
        (
            Event::RingReloadFailed { problem: problem.to_owned() },
            fields(&[("event", "session.ring_reload_failed"), ("problem", problem)]),
        ),
        (
            Event::SweepFailed { problem: problem.to_owned() },
            fields(&[("event", "session.sweep_failed"), ("problem", problem)]),
        ),
        (Event::Ephemeral, fields(&[("event", "session.ephemeral")])),
        (Event::WriteAfterCommit { id: None }, fields(&[("event", "session.write_after_commit")])),
    ] {
        assert_eq!(observed(&event), (Level::WARN, expected));
    }
}

#[test]
fn every_event_of_a_session_has_its_own_name_and_the_public_id() {
    let mut id = None;
    told(|| {
        visit(&store(), "", |session| {
            session.put("user", &1).unwrap();
            id = session.id();
        });
    });
    let (id, key) = (id.unwrap(), Key::generate().unwrap().id());
    for (event, level, name) in [
        (Event::Initiated { id: Some(id) }, Level::TRACE, "session.initiated"),
        (Event::Spilled { id }, Level::DEBUG, "session.spilled"),
        (Event::OldInputDropped { id }, Level::INFO, "session.old_input_dropped"),
        (Event::Returned { id }, Level::DEBUG, "session.returned"),
        (Event::Renewed { id }, Level::DEBUG, "session.renewed"),
        (Event::RenewalSkipped { id }, Level::INFO, "session.renewal_skipped"),
        (Event::WritesDropped { id: Some(id) }, Level::WARN, "session.writes_dropped"),
        (Event::LogoutLost { id: Some(id) }, Level::WARN, "session.logout_lost"),
        (Event::WriteAfterCommit { id: Some(id) }, Level::WARN, "session.write_after_commit"),
        (Event::Destroyed { id }, Level::DEBUG, "session.destroyed"),
        (Event::Committed { id }, Level::DEBUG, "session.committed"),
    ] {
        assert_eq!(observed(&event), (level, fields(&[("event", name), ("id", &id.to_string())])));
    }
    let unopened = fields(&[("event", "session.unopened_removed")]);
    assert_eq!(observed(&Event::UnopenedRemoved), (Level::INFO, unopened));
    let resealed = fields(&[("event", "session.resealed"), ("id", &id.to_string()), ("from", &key.to_string())]);
    assert_eq!(observed(&Event::Resealed { id, from: key }), (Level::DEBUG, resealed));
    let replaced = fields(&[("event", "session.ring_replaced"), ("key_ids", &format!("{key} {key}"))]);
    assert_eq!(observed(&Event::RingReplaced { key_ids: vec![key, key] }), (Level::INFO, replaced));
    let swept = fields(&[("event", "session.swept"), ("removed", "7")]);
    assert_eq!(observed(&Event::Swept { removed: 7 }), (Level::DEBUG, swept));
    let restricted = fields(&[("event", "session.caching_restricted")]);
    assert_eq!(observed(&Event::CachingRestricted), (Level::DEBUG, restricted));
}

#[test]
fn neither_data_nor_cookie_values_are_told() {
    const DATA: &str = "attack-at-dawn";
    let mut values = Vec::new();
    let told = told(|| {
        let store = store();
        let mut cookie = String::from("__Host-session=forged-cookie-value");
        values.push("forged-cookie-value".to_owned());
        // Begun, spilled, back in its cookie, and ended.
        let steps: [fn(&Session); 4] = [
            |session| session.put("secret", DATA).unwrap(),
            |session| session.put("secret", &DATA.repeat(400)).unwrap(),
            |session| session.put("secret", DATA).unwrap(),
            |session| session.destroy().unwrap(),
        ];
        for step in steps {
            cookie = visit(&store, &cookie, step).unwrap();
            values.extend(cookie.split_once('=').map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty()));
        }
    });
    let names = names(&told);
    for name in ["session.rejected", "session.spilled", "session.returned", "session.destroyed"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    // With the value of a marker.
    assert_eq!(values.len(), 5);
    let text = format!("{told:?}");
    assert!(!text.contains(DATA), "{text}");
    for value in values {
        assert!(!text.contains(&value), "{text}");
    }
}
