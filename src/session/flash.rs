//! Flash messages, validation errors and old input: written in one request, for the first later one that reads them.

use std::mem;

use serde_json::{Map, Value};

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
        let (Some(found), Some(before)) = (&mut self.0, &before.0) else { return };
        // What it saved itself is not for itself.
        for kind in KINDS {
            for (key, value) in before.persisted.of(kind) {
                let loaded = found.loaded.of_mut(kind);
                if before.loaded.of(kind).get(key) != Some(value) && loaded.get(key) == Some(value) {
                    found.saved.of_mut(kind).extend(loaded.remove_entry(key));
                }
            }
        }
        found.was_read = before.was_read && found.loaded == before.loaded;
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
