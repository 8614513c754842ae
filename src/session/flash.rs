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

impl Bags {
    pub(crate) fn is_empty(&self) -> bool {
        self.flash.is_empty() && self.errors.is_empty() && self.input.is_empty()
    }

    /// Adds the other's entries, which win over those of the same name.
    fn extend(&mut self, other: &Self) {
        self.flash.extend(other.flash.clone());
        self.errors.extend(other.errors.clone());
        self.input.extend(other.input.clone());
    }
}

/// The flash of one request: what it found, and what it leaves.
#[derive(Clone, Default)]
pub(crate) struct Flash {
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
        Self { persisted: loaded.clone(), loaded, ..Self::default() }
    }
}

impl Flash {
    /// What an earlier request left. Reading it is what uses it up.
    pub(crate) fn read(&mut self) -> &Bags {
        self.was_read = true;
        &self.loaded
    }

    /// What this request leaves. What it found stays until somebody reads it: an image or a background fetch that only
    /// asks who the user is must not eat a message.
    pub(crate) fn left(&self) -> Bags {
        if self.is_blank() {
            return Bags::default();
        }
        let mut left = if self.was_read { self.kept.clone() } else { self.loaded.clone() };
        left.extend(&self.saved);
        left.extend(&self.fresh);
        left
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.is_blank() && self.left() != self.persisted
    }

    /// Nothing was found and nothing is left, as in most requests.
    pub(crate) fn is_blank(&self) -> bool {
        [&self.loaded, &self.fresh, &self.saved, &self.kept, &self.persisted].into_iter().all(Bags::is_empty)
    }

    /// Does on newer data what the other did on older: the very entries that it read are used up, and what it wrote is
    /// there.
    pub(crate) fn replay(&mut self, other: &Self) {
        self.use_up(other);
        self.fresh = other.fresh.clone();
    }

    /// Takes out what the other read of it and did not keep.
    pub(crate) fn use_up(&mut self, other: &Self) {
        if !other.was_read {
            return;
        }
        let (used, kept) = (&other.loaded, &other.kept);
        let mut left = self.loaded.clone();
        for (left, used, kept) in [
            (&mut left.flash, &used.flash, &kept.flash),
            (&mut left.errors, &used.errors, &kept.errors),
            (&mut left.input, &used.input, &kept.input),
        ] {
            left.retain(|key, value| used.get(key) != Some(value) || kept.contains_key(key));
        }
        self.was_read = true;
        self.kept = left;
    }

    /// What the request read before it read the session again is used up. Where another request left something
    /// meanwhile, a message is shown twice rather than never.
    pub(crate) fn read_as(&mut self, before: &Self) {
        // What it saved itself is not for itself.
        for (loaded, found_before, written, saved) in [
            (&mut self.loaded.flash, &before.loaded.flash, &before.persisted.flash, &mut self.saved.flash),
            (&mut self.loaded.errors, &before.loaded.errors, &before.persisted.errors, &mut self.saved.errors),
            (&mut self.loaded.input, &before.loaded.input, &before.persisted.input, &mut self.saved.input),
        ] {
            for (key, value) in written {
                if found_before.get(key) != Some(value) && loaded.get(key) == Some(value) {
                    saved.extend(loaded.remove_entry(key));
                }
            }
        }
        self.was_read = before.was_read && self.loaded == before.loaded;
    }

    /// Notes that it was written as it was then.
    pub(crate) fn mark_saved(&mut self, then: &Self, remembers: bool) {
        self.persisted = then.left();
        if remembers {
            return;
        }
        for (fresh, written) in [
            (&mut self.fresh.flash, &then.fresh.flash),
            (&mut self.fresh.errors, &then.fresh.errors),
            (&mut self.fresh.input, &then.fresh.input),
        ] {
            fresh.retain(|key, value| written.get(key) != Some(value));
        }
        self.saved.extend(&then.fresh);
    }

    pub(crate) fn put(&mut self, key: String, value: Value) {
        self.fresh.flash.insert(key, value);
    }

    pub(crate) fn put_errors(&mut self, errors: Map<String, Value>) {
        self.fresh.errors.extend(errors);
    }

    /// Keeps the fields of a form, without secrets.
    pub(crate) fn put_input(&mut self, mut form: Map<String, Value>) {
        remove_everywhere(&mut form);
        self.fresh.input.extend(form);
    }

    /// Keeps the named fields of a form, whatever they are called.
    pub(crate) fn put_only(&mut self, mut form: Map<String, Value>, keys: &[&str]) {
        for key in keys {
            if let Some(mut value) = form.remove(*key) {
                if let Value::Object(inner) = &mut value {
                    remove_everywhere(inner);
                }
                self.fresh.input.insert((*key).to_owned(), value);
            }
        }
    }

    /// Keeps the fields of a form but the named ones, and without secrets.
    pub(crate) fn put_except(&mut self, mut form: Map<String, Value>, keys: &[&str]) {
        form.retain(|key, _| !keys.contains(&key.as_str()));
        self.put_input(form);
    }

    pub(crate) fn keep_all(&mut self) {
        let loaded = mem::take(&mut self.loaded);
        self.kept.extend(&loaded);
        self.loaded = loaded;
    }

    /// Keeps the messages that are chosen by their key.
    pub(crate) fn keep(&mut self, is_chosen: impl Fn(&str) -> bool) {
        let chosen = self.loaded.flash.iter().filter(|(key, _)| is_chosen(key));
        self.kept.flash.extend(chosen.map(|(key, value)| (key.clone(), value.clone())));
    }

    /// Forgets what earlier requests left; what this one wrote stays. `false` when there was nothing.
    pub(crate) fn clear_earlier(&mut self) -> bool {
        let before = self.left();
        self.loaded = Bags::default();
        self.kept = Bags::default();
        self.was_read = true;
        self.left() != before
    }

    /// Drops the old input that this request was to leave; `false` when there is none.
    pub(crate) fn drop_input(&mut self) -> bool {
        let dropped = [&mut self.fresh.input, &mut self.kept.input, &mut self.saved.input].map(mem::take);
        let unread = if self.was_read { Map::new() } else { mem::take(&mut self.loaded.input) };
        dropped.iter().chain([&unread]).any(|input| !input.is_empty())
    }
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
