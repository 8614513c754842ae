//! What a session is inside of one request.

use serde_json::{Map, Number, Value};

use super::json::Json;
use super::{Amount, Data, Path, Payload};
use crate::clock::Timestamp;
use crate::error::{RandomError, SessionError};
use crate::id::SessionId;
use crate::wire::cookie::Persistence;

/// Everything that a handler's calls change. `request` reads it when the response head is due.
pub(crate) struct State {
    /// Made by the first write, so that reading an empty session leaves no trace.
    pub(crate) id: Option<SessionId>,
    /// Grows with every id that the session gets or gives up.
    pub(crate) ids: u64,
    pub(crate) created: Timestamp,
    /// End of the idle lifetime as loaded, `None` for a new session.
    pub(crate) expires: Option<Timestamp>,
    pub(crate) persistence: Persistence,
    /// The lifetime under [`Persistence::OwnLifetime`].
    pub(crate) own_lifetime_seconds: u64,
    /// This request has chosen how the session persists, whatever another one has written.
    pub(crate) chose_persistence: bool,
    pub(crate) payload: Payload,
    /// Something was read or written: the response depends on the session.
    pub(crate) touched: bool,
    /// A call on it succeeded: the session is in use and lives on.
    pub(crate) used: bool,
    /// A token was made in this request, which no cache may keep.
    pub(crate) made_token: bool,
    /// The data differ from what was loaded.
    pub(crate) changed: bool,
    /// Whether there is a store, where another request may write in between.
    pub(crate) remembers: bool,
    pub(crate) changes: Changes,
    /// Grows with every call that writes.
    pub(crate) revision: u64,
    /// There were data of the application's when it was loaded; flash alone does not count.
    pub(crate) loaded_with_data: bool,
    /// The application asked for an empty session.
    pub(crate) cleared: bool,
    /// It must exist even without data, for a token's sake.
    pub(crate) must_exist: bool,
    pub(crate) id_change: IdChange,
    pub(crate) phase: Phase,
}

/// What becomes of the id that the session was loaded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdChange {
    /// It stays.
    None,
    /// A new one takes its place; requests in flight may still read under the old one.
    Regenerated,
    /// A new one takes its place, and the old one ends at once.
    Invalidated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Live,
    Destroyed,
    Committed,
    /// Its request has ended without a commit.
    Abandoned,
    /// Opened outside of a request: there is no response that could carry its cookie.
    ReadOnly,
}

impl State {
    pub(crate) fn new(now: Timestamp, persistence: Persistence) -> Self {
        Self {
            id: None,
            ids: 0,
            created: now,
            expires: None,
            persistence,
            own_lifetime_seconds: 0,
            chose_persistence: false,
            payload: Payload::default(),
            touched: false,
            used: false,
            made_token: false,
            changed: false,
            remembers: false,
            changes: Changes::default(),
            revision: 0,
            loaded_with_data: false,
            cleared: false,
            must_exist: false,
            id_change: IdChange::None,
            phase: Phase::Live,
        }
    }

    /// Makes a change of the data, and remembers it.
    pub(crate) fn change(&mut self, change: Change) -> Result<(Option<Number>, bool), SessionError> {
        let remembered = self.remembers.then(|| Remembered::before(&change, &self.payload.data));
        let outcome = change.make(&mut self.payload.data)?;
        self.changes.remember(remembered.filter(|remembered| outcome.1 || remembered.counts_unchanged()));
        Ok(outcome)
    }

    /// Makes this request's changes again, on what another has written meanwhile; `false` when they do not fit there.
    pub(crate) fn replay_onto(&mut self, mut newest: Payload, is_login: bool) -> bool {
        let had_data = !newest.data.is_empty();
        if !self.changes.replay(&mut newest.data, is_login) {
            return false;
        }
        if self.changes.have_clear() {
            newest.flash.clear_earlier();
        }
        newest.flash.replay(&self.payload.flash);
        newest.keep_on_server(self.payload.server_only().cloned());
        self.payload = newest;
        self.loaded_with_data |= had_data;
        true
    }

    /// What the session is without what this request took out of it: what others may still see under an id that it leaves.
    pub(crate) fn leftovers(&self, mut before: Payload) -> Payload {
        self.changes.remove_again(&mut before.data);
        if self.changes.have_clear() {
            before.flash.clear_earlier();
        }
        before.flash.use_up(&self.payload.flash);
        before
    }

    /// Refuses a write that would be lost.
    pub(crate) fn check_writable(&self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Live => Ok(()),
            Phase::Destroyed => Err(SessionError::Destroyed),
            Phase::Committed => Err(SessionError::Committed),
            Phase::Abandoned => Err(SessionError::Abandoned),
            Phase::ReadOnly => Err(SessionError::ReadOnly),
        }
    }

    /// Whether something was written that is not saved yet. Messages that were merely read do not count: one that is shown
    /// twice is no loss.
    pub(crate) const fn has_unsaved(&self) -> bool {
        self.changed || self.chose_persistence
    }

    /// Whether something is lost unless the session is written: that, or another id of a session that exists.
    pub(crate) fn has_unkept(&self) -> bool {
        let exists = self.expires.is_some() || self.must_exist || !self.payload.is_empty();
        self.has_unsaved() || (self.id_change != IdChange::None && exists)
    }

    /// Whether a session that was loaded is to be removed: the application left nothing in it. Flash that merely ran out
    /// does not end a session.
    pub(crate) fn is_emptied(&self) -> bool {
        let had_something = self.loaded_with_data || self.id_change == IdChange::Invalidated;
        (self.cleared || (self.changed && had_something)) && self.payload.is_empty() && !self.must_exist
    }

    /// What is written next is another session.
    pub(crate) fn drop_id(&mut self) {
        self.id = None;
        self.ids = self.ids.wrapping_add(1);
    }

    /// The id, made now if there is none.
    pub(crate) fn ensure_id(&mut self) -> Result<&SessionId, RandomError> {
        match &mut self.id {
            Some(id) => Ok(id),
            none => Ok(none.insert(SessionId::generate()?)),
        }
    }

    /// A new id for a session that has one.
    // Security: ids are made here and nowhere else; one that came from a client is only ever loaded from an authentic
    // cookie (session fixation: CVE-2022-25896, CVE-2023-29019).
    pub(crate) fn replace_id(&mut self, change: IdChange) -> Result<(), SessionError> {
        self.id = match &self.id {
            // Made when something is written to the new session.
            _ if change == IdChange::Invalidated => None,
            Some(_) => Some(SessionId::generate()?),
            None => None,
        };
        self.ids = self.ids.wrapping_add(1);
        // What could not be opened has no id here, and is to end or to get another one all the same.
        if self.id_change != IdChange::Invalidated {
            self.id_change = change;
        }
        Ok(())
    }
}

// The changes of one request, remembered so that they can be made again on newer data.

/// One call that changed the data.
#[derive(Clone)]
pub(crate) enum Change {
    Put(Path, Json),
    Merge(Json),
    Forget(Path),
    /// A value that the handler took out and may have used up.
    Pull(Path),
    Increment(Path, Amount),
    Push(Path, Json),
    Clear,
    Replace(Json),
}

impl Change {
    /// Makes the change. Returns the sum of an increment, and whether the data differ afterwards.
    pub(super) fn make(self, data: &mut Data) -> Result<(Option<Number>, bool), SessionError> {
        let changed = match self {
            Self::Put(path, value) => data.put(&path, &value),
            Self::Merge(object) => data.merge(&object),
            Self::Forget(path) | Self::Pull(path) => data.forget(&path),
            Self::Increment(path, amount) => {
                return data.increment(&path, amount).map(|(sum, changed)| (Some(sum), changed));
            }
            Self::Push(path, element) => data.push(&path, &element),
            Self::Clear => Ok(data.clear()),
            Self::Replace(object) => data.replace(object),
        }?;
        Ok((None, changed))
    }

    /// The value that it changes, where that is one.
    const fn path(&self) -> Option<&Path> {
        match self {
            Self::Put(path, _)
            | Self::Forget(path)
            | Self::Pull(path)
            | Self::Increment(path, _)
            | Self::Push(path, _) => Some(path),
            Self::Merge(_) | Self::Clear | Self::Replace(_) => None,
        }
    }

    /// What must still be there for the change to mean the same; `None` when it means the same on any data.
    fn depends_on(&self, data: &Data) -> Option<Seen> {
        let path = match self {
            Self::Replace(_) => return Some(Seen::All(data.all())),
            Self::Merge(_) | Self::Clear => return None,
            Self::Pull(path) => path.clone(),
            // The element at an index is another one when something before it went.
            Self::Put(path, _) | Self::Forget(path) | Self::Increment(path, _) | Self::Push(path, _) => {
                data.outermost_element(path)?
            }
        };
        let seen = data.find(&path).ok().flatten().cloned();
        Some(Seen::At(path, seen))
    }
}

/// A part of the data as a change found it.
#[derive(Clone)]
enum Seen {
    At(Path, Option<Value>),
    All(Map<String, Value>),
}

impl Seen {
    fn is_unchanged_in(&self, data: &Data) -> bool {
        match self {
            Self::At(path, seen) => data.find(path).is_ok_and(|found| found == seen.as_ref()),
            Self::All(seen) => data.all() == *seen,
        }
    }
}

/// A change, and what it depends on.
#[derive(Clone)]
pub(crate) struct Remembered {
    /// Which change of the request it is.
    number: usize,
    change: Change,
    seen: Option<Seen>,
}

impl Remembered {
    /// Remembers a change that is about to be made.
    pub(super) fn before(change: &Change, data: &Data) -> Self {
        Self { number: 0, seen: change.depends_on(data), change: change.clone() }
    }
}

impl Remembered {
    /// Whether it is to be made again although it changed nothing here: on what another request has written, it may.
    pub(super) const fn counts_unchanged(&self) -> bool {
        matches!(self.change, Change::Put(..) | Change::Merge(_) | Change::Forget(_) | Change::Clear)
    }

    /// Whether nothing is left of the other one once this was made.
    fn replaces(&self, other: &Self) -> bool {
        let (Change::Put(path, _), Change::Put(before, _)) = (&self.change, &other.change) else { return false };
        path == before && self.seen.is_none() && other.seen.is_none()
    }
}

/// The changes of one request that are not saved yet, in their order.
#[derive(Default)]
pub(crate) struct Changes {
    /// How many there were in the whole request.
    made: usize,
    remembered: Vec<Remembered>,
}

impl Changes {
    pub(super) fn remember(&mut self, change: Option<Remembered>) {
        let Some(change) = change else { return };
        let change = Remembered { number: self.made, ..change };
        self.made = self.made.saturating_add(1);
        match self.remembered.last_mut() {
            // A loop that puts one key a thousand times is remembered by its last value.
            Some(last) if change.replaces(last) => *last = change,
            _ => self.remembered.push(change),
        }
    }

    pub(super) const fn made(&self) -> usize {
        self.made
    }

    /// Forgets those of the first `made` that are still here.
    pub(super) fn forget_until(&mut self, made: usize) {
        self.remembered.retain(|change| change.number >= made);
    }

    pub(super) fn forget_all(&mut self) {
        self.forget_until(usize::MAX);
    }

    /// Makes them again on other data; `false` when one of them does not mean there what it meant, and then the data are to
    /// be given up. To a login it does not matter what a replacement replaces, nor whether what is forgotten is there.
    pub(super) fn replay(&self, data: &mut Data, is_login: bool) -> bool {
        self.remembered.iter().all(|Remembered { change, seen, .. }| {
            let is_met = match seen {
                Some(seen) => seen.is_unchanged_in(data),
                // A name that is a number must not become the index of an element.
                None => change.path().is_none_or(|path| data.outermost_element(path).is_none()),
            };
            let needs_nothing = match (change, seen) {
                (Change::Replace(_), _) => is_login,
                (Change::Forget(_), Some(Seen::At(path, _))) => {
                    is_login && data.find(path).is_ok_and(|found| found.is_none())
                }
                _ => false,
            };
            (is_met || needs_nothing) && change.clone().make(data).is_ok()
        })
    }

    /// Whether a value was taken out.
    pub(super) fn have_pulls(&self) -> bool {
        self.remembered.iter().any(|remembered| matches!(remembered.change, Change::Pull(_)))
    }

    /// Whether everything was removed.
    pub(super) fn have_clear(&self) -> bool {
        self.remembered.iter().any(|remembered| matches!(remembered.change, Change::Clear))
    }

    /// Makes those again that take something out. What does not fit any more is not there either.
    pub(super) fn remove_again(&self, data: &mut Data) {
        for Remembered { change, .. } in &self.remembered {
            let _ = match change {
                Change::Forget(path) | Change::Pull(path) => data.forget(path),
                Change::Clear | Change::Replace(_) => Ok(data.clear()),
                Change::Put(..) | Change::Merge(_) | Change::Increment(..) | Change::Push(..) => Ok(false),
            };
        }
    }
}

#[cfg(test)]
mod changes_tests {
    use serde_json::json;

    use super::super::{to_json, to_object};
    use super::*;

    fn value(json: &Value) -> Json {
        to_json(&path("a"), json).unwrap()
    }

    fn data(json: Value) -> Data {
        Data::from(to_object(&json).unwrap())
    }

    /// Makes changes on what a request loaded, and again on what another wrote meanwhile.
    fn replayed(loaded: Value, changes: &[Change], newest: Value) -> Option<Value> {
        let mut seen = data(loaded);
        let mut remembered = Changes::default();
        for change in changes {
            remembered.remember(Some(Remembered::before(change, &seen)));
            change.clone().make(&mut seen).unwrap();
        }
        let mut newest = data(newest);
        remembered.replay(&mut newest, false).then(|| Value::Object(newest.all()))
    }

    fn path(text: &str) -> Path {
        Path::from(text)
    }

    #[test]
    fn changes_of_other_keys_both_stay() {
        let put = [Change::Put(path("user.name"), value(&json!("Zoë")))];
        let merged = replayed(json!({}), &put, json!({ "cart": [1], "user": { "id": 7 } }));
        assert_eq!(merged, Some(json!({ "cart": [1], "user": { "id": 7, "name": "Zoë" } })));
    }

    #[test]
    fn two_increments_add_up_and_two_pushes_follow_one_another() {
        let changes = [Change::Increment(path("n"), Amount::from(2)), Change::Push(path("list"), value(&json!("b")))];
        let merged = replayed(json!({ "n": 1 }), &changes, json!({ "n": 10, "list": ["a"] }));
        assert_eq!(merged, Some(json!({ "n": 12, "list": ["a", "b"] })));
    }

    #[test]
    fn what_was_cleared_is_cleared_of_what_came_meanwhile_too() {
        let changes = [Change::Clear, Change::Put(path("a"), value(&json!(1)))];
        assert_eq!(replayed(json!({ "b": 1 }), &changes, json!({ "b": 2, "c": 3 })), Some(json!({ "a": 1 })));
    }

    #[test]
    fn a_change_that_does_not_fit_any_more_is_not_made() {
        let increment = [Change::Increment(path("n"), Amount::from(1))];
        assert_eq!(replayed(json!({ "n": 1 }), &increment, json!({ "n": "many" })), None);
    }

    #[test]
    fn a_change_through_an_index_is_made_where_the_element_is_the_same() {
        let put = [Change::Put(path("list.0"), value(&json!("x")))];
        assert_eq!(
            replayed(json!({ "list": [1, 2] }), &put, json!({ "list": [1, 2], "a": 1 })),
            Some(json!({ "list": ["x", 2], "a": 1 }))
        );
        assert_eq!(replayed(json!({ "list": [1, 2] }), &put, json!({ "list": [2] })), None);
        let forget = [Change::Forget(path("list.1"))];
        assert_eq!(replayed(json!({ "list": [1, 2] }), &forget, json!({ "list": [2] })), None);
    }

    #[test]
    fn of_puts_in_one_place_the_last_is_remembered_and_a_save_before_it_forgets_none_of_it() {
        let mut seen = data(json!({ "n": 1 }));
        let mut changes = Changes::default();
        let mut make = |changes: &mut Changes, change: Change| {
            changes.remember(Some(Remembered::before(&change, &seen)));
            change.make(&mut seen).unwrap();
        };
        make(&mut changes, Change::Increment(path("n"), Amount::from(1)));
        let written = changes.made();
        for number in 0..1000 {
            make(&mut changes, Change::Put(path("a"), value(&json!(number))));
        }
        assert_eq!((changes.remembered.len(), changes.made()), (2, 1001));
        changes.forget_until(written);
        let mut newest = data(json!({ "n": 2 }));
        assert!(changes.replay(&mut newest, false));
        assert_eq!(Value::Object(newest.all()), json!({ "n": 2, "a": 999 }));
    }

    #[test]
    fn what_was_pulled_is_pulled_once() {
        let pull = [Change::Pull(path("ticket"))];
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({ "ticket": 7, "a": 1 })), Some(json!({ "a": 1 })));
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({})), None);
        assert_eq!(replayed(json!({ "ticket": 7 }), &pull, json!({ "ticket": 8 })), None);
    }

    #[test]
    fn a_replacement_of_all_is_made_on_unchanged_data_alone() {
        let replace = [Change::Replace(value(&json!({ "a": 2 })))];
        assert_eq!(replayed(json!({ "a": 1 }), &replace, json!({ "a": 1 })), Some(json!({ "a": 2 })));
        assert_eq!(replayed(json!({ "a": 1 }), &replace, json!({ "a": 1, "b": 1 })), None);
    }
}
