//! The law behind the rules: whatever is done in whatever order, users see what a naive model of their session says.
//!
//! Requests come one after the other, from two browsers; keys rotate and time passes in between.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sealed_session::{
    Key, KeyRing, Lifetimes, Placement, Session, SessionError, SessionManager, SessionManagerBuilder,
};
use serde_json::{Map, Value};

use crate::browser::Browser;
use crate::support::{Site, text};

const IDLE: u64 = 100;
const ABSOLUTE: u64 = 300;
const REMEMBER_MAX: u64 = 200;

/// What a handler does with its session.
#[derive(Clone, Debug)]
enum Act {
    Put { key: u8, bytes: usize },
    Forget { key: u8 },
    Increment,
    Clear,
    Regenerate,
    Login,
    Invalidate,
    Destroy,
    MakeToken,
    Remember { seconds: u64 },
}

/// What happens at the site.
#[derive(Clone, Debug)]
enum Step {
    Visit { browser: usize, acts: Vec<Act> },
    Wait { seconds: u64 },
    Rotate,
}

/// Sizes around the inline limit, so that sessions spill and come back.
fn act() -> impl Strategy<Value = Act> {
    let key = 0_u8..3;
    prop_oneof![
        6 => (key.clone(), prop_oneof![0_usize..20, 200_usize..700]).prop_map(|(key, bytes)| Act::Put { key, bytes }),
        4 => key.prop_map(|key| Act::Forget { key }),
        2 => Just(Act::Increment),
        1 => Just(Act::Clear),
        1 => Just(Act::Regenerate),
        1 => Just(Act::Login),
        1 => Just(Act::Invalidate),
        1 => Just(Act::Destroy),
        2 => Just(Act::MakeToken),
        1 => (1..=REMEMBER_MAX).prop_map(|seconds| Act::Remember { seconds }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_usize..2, vec(act(), 0..4)).prop_map(|(browser, acts)| Step::Visit { browser, acts }),
        3 => prop_oneof![0_u64..60, 0_u64..=REMEMBER_MAX].prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Rotate),
    ]
}

/// A session as its user sees it.
#[derive(Clone, Default)]
struct Seen {
    data: Map<String, Value>,
    created: u64,
    issued: u64,
    /// A lifetime that it asked for.
    remembered: Option<u64>,
    /// A new one with every new id.
    id: usize,
    /// How many keys there were when it was sealed.
    keys: usize,
}

impl Seen {
    fn is_alive_at(&self, now: u64) -> bool {
        now < self.issued + self.lifetime() && now < self.created + ABSOLUTE
    }

    fn lifetime(&self) -> u64 {
        self.remembered.unwrap_or(IDLE)
    }
}

/// One browser, what it should see, and the last token that it was given with the id that it was made for.
struct User {
    browser: Browser,
    kept: Option<Seen>,
    token: Option<(String, usize)>,
}

/// What a request did, as far as the commit must know.
#[derive(Default)]
struct Done {
    changed: bool,
    cleared: bool,
    new_id: bool,
    invalidated: bool,
    destroyed: bool,
    made_token: bool,
}

struct World {
    now: u64,
    keys: usize,
    ids: usize,
}

impl World {
    fn next_id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    /// Does it with the session and with the model, and compares.
    fn act(
        &mut self,
        act: &Act,
        session: &Session,
        seen: &mut Seen,
        done: &mut Done,
        token: &mut Option<(String, usize)>,
    ) {
        if done.destroyed {
            assert!(matches!(session.put("a", &1), Err(SessionError::Destroyed)));
            assert!(session.is_empty());
            return;
        }
        let before = seen.data.clone();
        match act {
            Act::Put { key, bytes } => {
                session.put(key.to_string(), &text(*bytes)).unwrap();
                seen.data.insert(key.to_string(), text(*bytes).into());
            }
            Act::Forget { key } => {
                session.forget(key.to_string()).unwrap();
                seen.data.remove(&key.to_string());
            }
            Act::Increment => {
                let count = seen.data.get("count").and_then(Value::as_u64).unwrap_or(0) + 1;
                assert_eq!(session.increment("count", 1).unwrap(), count.into());
                seen.data.insert("count".to_owned(), count.into());
            }
            Act::Clear => {
                session.clear().unwrap();
                seen.data.clear();
                done.cleared = true;
            }
            Act::Regenerate => {
                session.regenerate().unwrap();
                seen.id = self.next_id();
                done.new_id = true;
            }
            Act::Login => {
                session.regenerate_and_reset_lifetime().unwrap();
                (seen.id, seen.created) = (self.next_id(), self.now);
                done.new_id = true;
            }
            Act::Invalidate => {
                session.invalidate().unwrap();
                *seen = Seen { id: self.next_id(), created: self.now, ..Seen::default() };
                *done = Done { changed: true, new_id: true, invalidated: true, ..Done::default() };
            }
            Act::Destroy => {
                session.destroy().unwrap();
                seen.data.clear();
                done.destroyed = true;
            }
            Act::MakeToken => {
                *token = Some((session.csrf_token().unwrap(), seen.id));
                done.made_token = true;
            }
            Act::Remember { seconds } => {
                session.remember(Duration::from_secs(*seconds)).unwrap();
                done.changed |= seen.remembered.replace(*seconds) != Some(*seconds);
            }
        }
        done.changed |= seen.data != before;
        assert_eq!(session.all(), seen.data, "after {act:?}");
    }

    /// What is left of a session when its response has arrived.
    fn committed(&self, found: Option<&Seen>, mut seen: Seen, done: &Done) -> Option<Seen> {
        let has_something = !seen.data.is_empty() || done.made_token;
        let had_something = done.invalidated || found.is_some_and(|found| !found.data.is_empty());
        let Some(found) = found else {
            (seen.issued, seen.keys) = (self.now, self.keys);
            return (has_something && !done.destroyed).then_some(seen);
        };
        let is_emptied = (done.cleared || (done.changed && had_something)) && !has_something;
        if done.destroyed || is_emptied {
            return None;
        }
        let left = found.issued + found.lifetime() - self.now;
        let is_renewed = left < found.lifetime() / 2 || found.keys != self.keys;
        if done.changed || done.new_id || is_renewed {
            (seen.issued, seen.keys) = (self.now, self.keys);
        }
        Some(seen)
    }
}

/// One request of one user, by the store and by the model.
fn visit(world: &mut World, store: &SessionManager, user: &mut User, acts: &[Act]) {
    let found = user.kept.take().filter(|seen| seen.is_alive_at(world.now));
    let is_held = user.browser.cookie().is_some();
    assert_eq!(is_held, found.is_some(), "the browser holds a cookie as long as its session lives");
    let (id, created) = (world.next_id(), world.now);
    let mut seen = found.clone().unwrap_or_else(|| Seen { id, created, ..Seen::default() });
    let mut done = Done::default();
    user.browser.visit(store, |session| {
        assert_eq!(session.is_new(), found.is_none());
        assert_eq!(session.all(), seen.data);
        assert_eq!(session.created_at().unix_seconds(), seen.created);
        if let Some((token, made_for)) = &user.token {
            let is_good = found.as_ref().is_some_and(|found| found.id == *made_for);
            assert_eq!(session.verify_csrf(Some(token)).is_ok(), is_good);
        }
        for act in acts {
            world.act(act, session, &mut seen, &mut done, &mut user.token);
        }
    });
    user.kept = world.committed(found.as_ref(), seen, &done);
}

fn run(site: &Site, configure: fn(SessionManagerBuilder) -> SessionManagerBuilder, steps: Vec<Step>) {
    let lifetimes = Lifetimes::default()
        .idle_timeout(Duration::from_secs(IDLE))
        .absolute_timeout(Some(Duration::from_secs(ABSOLUTE)))
        .remember_max(Duration::from_secs(REMEMBER_MAX));
    let build = |older: &[Key], newest: &Key| {
        let open_only = |ring: KeyRing, key: &Key| ring.with_open_only(key.clone()).unwrap();
        let ring = older.iter().fold(KeyRing::new(newest.clone()), open_only);
        configure(site.over(ring).lifetimes(lifetimes).store(site.records.clone())).build().unwrap()
    };
    let mut keys = vec![site.key.clone()];
    let mut store = build(&[], &site.key);
    let mut users = [(); 2].map(|()| User { browser: site.browser(), kept: None, token: None });
    let mut world = World { now: site.now().unix_seconds(), keys: 1, ids: 0 };
    for step in steps {
        match step {
            Step::Wait { seconds } => {
                site.clock.advance_seconds(seconds);
                world.now += seconds;
            }
            Step::Rotate => {
                let newest = Key::generate().unwrap();
                store = build(&keys, &newest);
                keys.push(newest);
                world.keys = keys.len();
            }
            Step::Visit { browser, acts } => {
                // Within one second cookies of one session have no order.
                site.clock.advance_seconds(1);
                world.now += 1;
                visit(&mut world, &store, &mut users[browser], &acts);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn users_see_what_the_model_says_while_their_sessions_spill_and_come_back(steps in vec(step(), 1..30)) {
        run(&Site::new(), |builder| builder.inline_limit_bytes(1024), steps);
    }

    #[test]
    fn users_see_what_the_model_says_where_sessions_stay_in_their_cookies(steps in vec(step(), 1..30)) {
        run(&Site::new(), |builder| builder.placement(Placement::CookieOnly), steps);
    }

    #[test]
    fn users_see_what_the_model_says_where_sessions_stay_in_the_store(steps in vec(step(), 1..30)) {
        run(&Site::new(), |builder| builder.placement(Placement::StoreOnly), steps);
    }
}
