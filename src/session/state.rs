//! What a session is inside of one request.

use std::collections::BTreeSet;
use std::io::Write;
use std::mem;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::Data;
use super::data::{Change, Changes, Remembered};
use crate::clock::Timestamp;
use crate::error::{RandomError, Reason, SessionError};
use crate::id::SessionId;
use crate::json::shape::sizes_of;
use crate::json::text::Text;
use crate::json::value::parse_object;
use crate::wipe::WipedBytes;
use crate::wire::Persistence;

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
    /// It has, and a cookie that the browser does not hold yet says so.
    pub(crate) saved_persistence: bool,
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
            saved_persistence: false,
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

    /// The application ends the session that was loaded, or one that it has begun since, which nobody else knows.
    pub(crate) fn end_changes(&mut self) {
        if self.id_change == IdChange::Invalidated {
            self.changes.forget_new();
        } else {
            self.changes.end();
        }
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
    pub(crate) fn replace_id(&mut self, change: IdChange) -> Result<(), RandomError> {
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

// The payload of a session: the application's members, and beside them the crate's own under `"~"`. Wire format,
// section 3.1.

const RESERVED_MEMBER: &str = "~";
const FLASH: &str = "flash";
const ERRORS: &str = "errors";
const INPUT: &str = "input";
const SERVER_ONLY: &str = "server_only";

/// Taken for what was put, before its length is known.
const ROOM_BYTES: usize = 128;

/// What is sealed.
#[derive(Clone, Default)]
pub(crate) struct Payload {
    pub(crate) data: Data,
    pub(crate) flash: Flash,
    /// The rest of the member `"~"`, where there is any.
    marks: Option<Box<Marks>>,
}

#[derive(Clone, Default)]
struct Marks {
    /// Top-level keys that must never travel in the cookie.
    server_only: BTreeSet<String>,
    /// Members under `"~"` that this version does not know are kept on rewriting.
    unknown: Map<String, Value>,
}

impl Payload {
    /// Wire format, section 4, step 10.
    pub(crate) fn parse(text: &Text) -> Result<Self, Reason> {
        let (data, reserved) = Data::opened(text, RESERVED_MEMBER).ok_or(Reason::Payload)?;
        let Some(reserved) = reserved.and_then(|reserved| text.get(reserved)) else {
            return Ok(Self { data, ..Self::default() });
        };
        let mut unknown = parse_object(reserved).map_err(|_| Reason::Payload)?;
        let flash = Bags {
            flash: take_object(&mut unknown, FLASH)?,
            errors: take_object(&mut unknown, ERRORS)?,
            input: take_object(&mut unknown, INPUT)?,
        };
        let server_only = match unknown.remove(SERVER_ONLY) {
            Some(keys) => serde_json::from_value(keys).map_err(|_| Reason::Payload)?,
            None => BTreeSet::new(),
        };
        let marks = Marks { server_only, unknown };
        let has_marks = !marks.server_only.is_empty() || !marks.unknown.is_empty();
        Ok(Self { data, flash: Flash::from(flash), marks: has_marks.then(|| Box::new(marks)) })
    }

    /// A session that begins anew, in the same request: what was marked before stays out of the cookie.
    pub(crate) fn emptied(&self) -> Self {
        let mut emptied = Self::default();
        emptied.keep_on_server(self.server_only().cloned());
        emptied
    }

    /// Top-level keys that must never travel in the cookie.
    pub(crate) fn server_only(&self) -> impl Iterator<Item = &String> {
        self.marks.iter().flat_map(|marks| &marks.server_only)
    }

    /// Marks more of them; whether one is new.
    pub(crate) fn keep_on_server(&mut self, keys: impl IntoIterator<Item = String>) -> bool {
        let mut is_new = false;
        for key in keys {
            is_new |= self.marks.get_or_insert_default().server_only.insert(key);
        }
        is_new
    }

    /// Nothing of the application's and nothing of the crate's.
    pub(crate) fn is_empty(&self) -> bool {
        let has_unknown = self.marks.as_ref().is_some_and(|marks| !marks.unknown.is_empty());
        self.data.is_empty() && !has_unknown && self.flash.left().is_empty()
    }

    /// How many members there are that must never travel in the cookie.
    pub(crate) fn kept_on_server(&self) -> usize {
        self.server_only().filter(|key| self.data.has_member(key)).count()
    }

    pub(crate) const fn has_marks(&self) -> bool {
        self.marks.is_some()
    }

    /// The member `"~"`, absent parts left out.
    fn reserved(&self) -> Map<String, Value> {
        let Bags { flash, errors, input } = self.flash.left();
        let mut reserved = self.marks.as_ref().map(|marks| marks.unknown.clone()).unwrap_or_default();
        for (name, bag) in [(FLASH, flash), (ERRORS, errors), (INPUT, input)] {
            if !bag.is_empty() {
                reserved.insert(name.to_owned(), Value::Object(bag));
            }
        }
        let marks: Vec<_> = self.server_only().cloned().collect();
        if !marks.is_empty() {
            reserved.insert(SERVER_ONLY.to_owned(), Value::from(marks));
        }
        reserved
    }

    pub(crate) fn to_json(&self) -> Text {
        let is_plain = self.flash.is_blank() && self.marks.is_none();
        if let Some(written) = self.data.written().filter(|_| is_plain) {
            return Arc::clone(written);
        }
        let reserved = self.reserved();
        let mut json = WipedBytes::with_capacity(self.data.text_bytes().saturating_add(ROOM_BYTES));
        // Writing JSON values into memory cannot fail; a payload cut short would be refused when it is opened.
        let written = self.write(&reserved, &mut json);
        debug_assert!(written.is_ok());
        Arc::new(json)
    }

    fn write(&self, reserved: &Map<String, Value>, out: &mut impl Write) -> std::io::Result<()> {
        out.write_all(b"{")?;
        let count = self.data.write(out)?;
        if !reserved.is_empty() {
            out.write_all(if count > 0 { b",\"~\":" } else { b"\"~\":" })?;
            serde_json::to_writer(&mut *out, reserved)?;
        }
        out.write_all(b"}")
    }

    /// Bytes of JSON that each top-level member takes, its name included, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        let reserved = self.reserved();
        let mut members = self.data.all();
        if !reserved.is_empty() {
            members.insert(RESERVED_MEMBER.to_owned(), Value::Object(reserved));
        }
        sizes_of(members.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

/// Takes an object out of its parent; a missing one is empty.
fn take_object(parent: &mut Map<String, Value>, name: &str) -> Result<Map<String, Value>, Reason> {
    match parent.remove(name) {
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(Reason::Payload),
        None => Ok(Map::new()),
    }
}

// Flash messages, validation errors and old input: written in one request, for the first later one that reads them.

/// Never kept as old input unless they are named: secrets, and fields that belong to one posting alone.
const NEVER_INPUT: [&str; 6] = ["_csrf", "csrf_token", "csrf-token", "_method", "password", "password_confirmation"];

/// What one request leaves for the next, by kind: a message called `input` is no old input.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Bags {
    pub(crate) flash: Map<String, Value>,
    /// Field to messages.
    pub(crate) errors: Map<String, Value>,
    pub(crate) input: Map<String, Value>,
}

/// One of the bags.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Flash,
    Errors,
    Input,
}

impl Bags {
    pub(crate) fn is_empty(&self) -> bool {
        self.flash.is_empty() && self.errors.is_empty() && self.input.is_empty()
    }

    pub(crate) const fn of(&self, kind: Kind) -> &Map<String, Value> {
        match kind {
            Kind::Flash => &self.flash,
            Kind::Errors => &self.errors,
            Kind::Input => &self.input,
        }
    }

    const fn of_mut(&mut self, kind: Kind) -> &mut Map<String, Value> {
        match kind {
            Kind::Flash => &mut self.flash,
            Kind::Errors => &mut self.errors,
            Kind::Input => &mut self.input,
        }
    }

    /// Adds the other's entries, which win over those of the same name.
    fn extend(&mut self, other: &Self) {
        self.flash.extend(other.flash.clone());
        self.errors.extend(other.errors.clone());
        self.input.extend(other.input.clone());
    }
}

/// The flash of one request: what it found, and what it leaves. Most requests have none, and pay for none.
#[derive(Clone, Default)]
pub(crate) struct Flash(Option<Box<Found>>);

#[derive(Clone, Default)]
struct Found {
    loaded: Bags,
    fresh: Bags,
    /// What this request wrote and has saved already.
    saved: Bags,
    /// Entries of `loaded` that live for one request more.
    kept: Bags,
    was_read: bool,
    /// What the cookie or the store has of it.
    persisted: Bags,
}

impl From<Bags> for Flash {
    fn from(loaded: Bags) -> Self {
        if loaded.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Found { persisted: loaded.clone(), loaded, ..Found::default() })))
    }
}

impl Found {
    fn left(&self) -> Bags {
        let mut left = if self.was_read { self.kept.clone() } else { self.loaded.clone() };
        left.extend(&self.saved);
        left.extend(&self.fresh);
        left
    }

    /// What is left under one name.
    fn left_of(&self, kind: Kind, name: &str) -> Option<&Value> {
        let earlier = if self.was_read { &self.kept } else { &self.loaded };
        [&self.fresh, &self.saved, earlier].into_iter().find_map(|bags| bags.of(kind).get(name))
    }
}

impl Flash {
    /// What an earlier request left. Reading it is what uses it up.
    pub(crate) fn read(&mut self) -> Option<&Bags> {
        let found = self.0.as_mut()?;
        found.was_read = true;
        Some(&found.loaded)
    }

    /// What this request leaves. What it found stays until somebody reads it: an image or a background fetch that only
    /// asks who the user is must not eat a message.
    pub(crate) fn left(&self) -> Bags {
        self.0.as_ref().map(|found| found.left()).unwrap_or_default()
    }

    /// Nothing was found and nothing is left, as in most requests.
    pub(crate) const fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.0.as_ref().is_some_and(|found| found.left() != found.persisted)
    }

    /// Does on newer data what the other did on older: the very entries that it read are used up, and what it wrote is
    /// there.
    pub(crate) fn replay(&mut self, other: &Self) {
        if let (Some(found), Some(other)) = (&mut self.0, &other.0) {
            // What that has saved already is no message for its own request.
            for kind in KINDS {
                let loaded = found.loaded.of_mut(kind);
                for (key, value) in other.saved.of(kind) {
                    if loaded.get(key) == Some(value) {
                        found.saved.of_mut(kind).extend(loaded.remove_entry(key));
                    }
                }
            }
        }
        self.use_up(other);
        if let Some(other) = &other.0 {
            self.0.get_or_insert_default().fresh = other.fresh.clone();
        }
    }

    /// Takes out what the other read of it and did not keep.
    pub(crate) fn use_up(&mut self, other: &Self) {
        let (Some(found), Some(other)) = (&mut self.0, other.0.as_ref().filter(|other| other.was_read)) else { return };
        let mut left = found.loaded.clone();
        for kind in KINDS {
            let (used, kept) = (other.loaded.of(kind), other.kept.of(kind));
            left.of_mut(kind).retain(|key, value| used.get(key) != Some(value) || kept.contains_key(key));
        }
        found.was_read = true;
        found.kept = left;
    }

    /// What the request read before it read the session again is used up. Where another request left something
    /// meanwhile, a message is shown twice rather than never.
    pub(crate) fn read_as(&mut self, before: &Self) {
        let (Some(found), Some(own)) = (&mut self.0, &before.0) else { return };
        // What it saved itself is not for itself. It is made again where another request has written, for it may be in a cookie
        // that the browser does not hold yet.
        for kind in KINDS {
            for (key, value) in own.persisted.of(kind) {
                let is_own = [&own.fresh, &own.saved].into_iter().any(|bags| bags.of(kind).get(key) == Some(value));
                let loaded = found.loaded.of_mut(kind);
                if is_own && loaded.get(key) == Some(value) {
                    found.fresh.of_mut(kind).extend(loaded.remove_entry(key));
                }
            }
        }
        self.use_up(before);
    }

    /// Notes that it was written as it was then.
    pub(crate) fn mark_saved(&mut self, then: &Self, remembers: bool) {
        if self.0.is_none() && then.0.is_none() {
            return;
        }
        let found = self.0.get_or_insert_default();
        found.persisted = then.left();
        let Some(then) = then.0.as_ref().filter(|_| !remembers) else { return };
        for kind in KINDS {
            let written = then.fresh.of(kind);
            found.fresh.of_mut(kind).retain(|key, value| written.get(key) != Some(value));
        }
        found.saved.extend(&then.fresh);
    }

    /// Leaves these for the next request; whether anything differs then.
    pub(crate) fn put(&mut self, kind: Kind, entries: Map<String, Value>) -> bool {
        let mut changed = false;
        for (name, value) in entries {
            let found = self.0.get_or_insert_default();
            changed |= found.left_of(kind, &name) != Some(&value);
            found.fresh.of_mut(kind).insert(name, value);
        }
        changed
    }

    pub(crate) fn keep_all(&mut self) -> bool {
        // All of them, whatever the first says.
        KINDS.map(|kind| self.keep(kind, |_| true)).contains(&true)
    }

    /// Keeps the entries that are chosen by their names; whether anything differs then.
    pub(crate) fn keep(&mut self, kind: Kind, is_chosen: impl Fn(&str) -> bool) -> bool {
        let Some(found) = &mut self.0 else { return false };
        let chosen = found.loaded.of(kind).iter().filter(|(name, _)| is_chosen(name));
        let chosen: Vec<_> = chosen.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut changed = false;
        for (name, value) in chosen {
            let before = found.left_of(kind, &name).cloned();
            found.kept.of_mut(kind).insert(name.clone(), value);
            changed |= found.left_of(kind, &name) != before.as_ref();
        }
        changed
    }

    /// Forgets what earlier requests left; what this one wrote stays. `false` when there was nothing.
    pub(crate) fn clear_earlier(&mut self) -> bool {
        let Some(found) = &mut self.0 else { return false };
        let before = found.left();
        found.loaded = Bags::default();
        found.kept = Bags::default();
        found.was_read = true;
        found.left() != before
    }

    /// Drops the old input that this request was to leave; `false` when there is none.
    pub(crate) fn drop_input(&mut self) -> bool {
        let Some(found) = &mut self.0 else { return false };
        let dropped = [&mut found.fresh.input, &mut found.kept.input, &mut found.saved.input].map(mem::take);
        let unread = if found.was_read { Map::new() } else { mem::take(&mut found.loaded.input) };
        dropped.iter().chain([&unread]).any(|input| !input.is_empty())
    }
}

const KINDS: [Kind; 3] = [Kind::Flash, Kind::Errors, Kind::Input];

/// The fields of a form, without secrets.
pub(crate) fn without_secrets(mut form: Map<String, Value>) -> Map<String, Value> {
    remove_everywhere(&mut form);
    form
}

/// The named fields of a form, whatever they are called.
pub(crate) fn named(mut form: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let mut chosen = Map::new();
    for name in names {
        if let Some(mut value) = form.remove(*name) {
            if let Value::Object(inner) = &mut value {
                remove_everywhere(inner);
            }
            chosen.insert((*name).to_owned(), value);
        }
    }
    chosen
}

/// Old input goes back into a page, so a password that was typed into a form is not to be found there again.
fn remove_everywhere(form: &mut Map<String, Value>) {
    form.retain(|key, _| !NEVER_INPUT.contains(&key.as_str()));
    for value in form.values_mut() {
        remove_in(value);
    }
}

fn remove_in(value: &mut Value) {
    match value {
        Value::Object(members) => remove_everywhere(members),
        Value::Array(elements) => elements.iter_mut().for_each(remove_in),
        _ => {}
    }
}

#[cfg(test)]
mod payload_tests {
    use super::*;

    fn parse(json: &[u8]) -> Result<Payload, Reason> {
        Payload::parse(&Arc::new(WipedBytes::from(json)))
    }

    fn rewritten(json: &str) -> Result<String, Reason> {
        parse(json.as_bytes()).map(|payload| String::from_utf8(payload.to_json().to_vec()).unwrap())
    }

    #[test]
    fn the_reserved_member_is_hidden_from_the_data_and_kept_on_rewriting() {
        let json = r#"{"user":42,"~":{"later":[1],"flash":{"notice":"saved"}}}"#;
        let payload = parse(json.as_bytes()).unwrap();
        assert_eq!(payload.data.all().keys().collect::<Vec<_>>(), ["user"]);
        let again: Value = serde_json::from_slice(&payload.to_json()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(json).unwrap());
    }

    #[test]
    fn an_empty_reserved_member_is_left_out() {
        assert_eq!(rewritten(r#"{"~":{}}"#).unwrap(), "{}");
        assert!(parse(br#"{"~":{}}"#).unwrap().is_empty());
        assert!(parse(br#"{"~":{"flash":{},"server_only":[]}}"#).unwrap().is_empty());
        assert!(!parse(br#"{"~":{"later":{}}}"#).unwrap().is_empty());
    }

    #[test]
    fn of_repeated_names_the_last_counts() {
        assert_eq!(rewritten(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
    }

    #[test]
    fn what_is_no_object_or_has_a_reserved_member_of_another_kind_is_refused() {
        for json in [
            "",
            "[]",
            "1",
            "null",
            "{",
            r#"{"a":1}x"#,
            r#"{"~":1}"#,
            r#"{"~":null}"#,
            r#"{"~":{"flash":1}}"#,
            r#"{"~":{"server_only":1}}"#,
            "\u{feff}{}",
        ] {
            assert_eq!(rewritten(json), Err(Reason::Payload), "{json}");
        }
        assert_eq!(parse(b"{\"a\":\"\xff\"}").err(), Some(Reason::Payload));
    }

    #[test]
    fn nesting_beyond_the_depth_that_is_read_is_refused() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(rewritten(&nested(100)).is_ok());
        assert_eq!(rewritten(&nested(5000)), Err(Reason::Payload));
    }

    #[test]
    fn the_sizes_of_the_members_add_up_to_the_payload() {
        let payload = parse(br#"{"cart":[1,2,3],"u\"":42,"~":{"flash":{"a":true}}}"#).unwrap();
        let sizes = payload.member_sizes();
        let commas = sizes.len() - 1;
        assert_eq!(sizes.iter().map(|(_, bytes)| bytes).sum::<usize>() + commas + 2, payload.to_json().len());
        assert_eq!(sizes[0].0, "~");
    }
}
