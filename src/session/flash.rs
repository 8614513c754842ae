//! What handlers leave for the next request, and find from the last.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Session;
use super::state::{Bags, Flash, Kind, named, without_secrets};
use crate::error::SessionError;
use crate::json::exact::to_object;
use crate::json::path::{Path, check_depth};
use crate::json::value::{self, from_json};

/// What lies around an entry: the payload, its reserved member, and the bag. Wire format, section 3.1.
const LEVELS_AROUND: usize = 3;

impl Session {
    /// Leaves a message for the next request that reads messages. Falsy values are kept.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.flash("notice", "Saved.")?;
    /// // In this request it is not to be seen.
    /// assert!(!session.flash_messages().has("notice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`]. A message lies two levels deeper than data: more than 124 arrays and objects inside one another
    /// are [`SessionError::Value`].
    pub fn flash<T: Serialize + ?Sized>(&self, key: impl Into<String>, value: &T) -> Result<(), SessionError> {
        self.flash_all(&BTreeMap::from([(key.into(), value)]))
    }

    /// Leaves every member of an object as a message.
    ///
    /// # Errors
    ///
    /// As [`Session::flash`]; then nothing was left.
    pub fn flash_all<T: Serialize + ?Sized>(&self, messages: &T) -> Result<(), SessionError> {
        let messages = to_object(messages)?.members();
        self.put_flash(Kind::Flash, messages)
    }

    /// Leaves the fields of a form, so that the page that is shown again is filled in; several calls add up.
    ///
    /// Passwords, CSRF tokens and `_method` are left out, at any depth.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.flash_input(&serde_json::json!({ "email": "zoe@example.com", "password": "secret" }))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::flash`].
    pub fn flash_input<T: Serialize + ?Sized>(&self, form: &T) -> Result<(), SessionError> {
        let form = to_object(form)?.members();
        self.put_flash(Kind::Input, without_secrets(form))
    }

    /// Leaves the named fields of a form, also those that are left out otherwise.
    ///
    /// # Errors
    ///
    /// As [`Session::flash`].
    pub fn flash_only<T: Serialize + ?Sized>(&self, form: &T, keys: &[&str]) -> Result<(), SessionError> {
        let form = to_object(form)?.members();
        self.put_flash(Kind::Input, named(form, keys))
    }

    /// Leaves the fields of a form but the named ones.
    ///
    /// # Errors
    ///
    /// As [`Session::flash`].
    pub fn flash_except<T: Serialize + ?Sized>(&self, form: &T, keys: &[&str]) -> Result<(), SessionError> {
        let mut form = to_object(form)?.members();
        form.retain(|name, _| !keys.contains(&name.as_str()));
        self.put_flash(Kind::Input, without_secrets(form))
    }

    /// Leaves validation errors: an object of fields, each with its message or a list of messages.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.flash_errors(&BTreeMap::from([("email", ["Give an address.", "It is too short."])]))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`], and [`SessionError::Value`] for what is neither a text nor a list of texts.
    pub fn flash_errors<T: Serialize + ?Sized>(&self, errors: &T) -> Result<(), SessionError> {
        let errors = to_object(errors)?
            .members()
            .into_iter()
            .filter(|(_, messages)| !messages.as_array().is_some_and(Vec::is_empty))
            .map(|(field, messages)| match messages {
                Value::String(message) => Ok((field, Value::Array(vec![Value::String(message)]))),
                Value::Array(messages) if messages.iter().all(Value::is_string) => Ok((field, Value::Array(messages))),
                _ => Err(SessionError::Value {
                    path: field,
                    problem: "validation errors are texts; give one or a list of them".to_owned(),
                }),
            })
            .collect::<Result<Map<_, _>, _>>()?;
        self.put_flash(Kind::Errors, errors)
    }

    /// The messages that an earlier request left. Asking for them uses them up, with errors and old input.
    #[must_use]
    pub fn flash_messages(&self) -> FlashMessages {
        FlashMessages(self.read_flash(|bags| bags.map(|bags| bags.flash.clone())).unwrap_or_default())
    }

    /// What was typed into a field of the form that came back, `None` when it was absent or null. A name with dots is the
    /// field of this name, or else the path that it spells.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when it is no `T`.
    pub fn old<T: DeserializeOwned>(&self, field: impl Into<Path>) -> Result<Option<T>, SessionError> {
        let field = field.into();
        let find = |bags: &Bags| find_named(&bags.input, &field).map(Option::<&Value>::cloned);
        let found = self.read_flash(|bags| bags.map_or(Ok(None), find))?;
        read_found(found.as_ref(), &field)
    }

    /// The validation errors of a field, none for one that is right.
    #[must_use]
    pub fn errors(&self, field: &str) -> Vec<String> {
        self.read_flash(|bags| bags.and_then(|bags| bags.errors.get(field).map(texts))).unwrap_or_default()
    }

    /// All validation errors: each field that has some, with its messages.
    #[must_use]
    pub fn all_errors(&self) -> Vec<(String, Vec<String>)> {
        let all = |bags: &Bags| bags.errors.iter().map(|(field, messages)| (field.clone(), texts(messages))).collect();
        self.read_flash(|bags| bags.map(all)).unwrap_or_default()
    }

    /// Keeps what the earlier request left for one request more: messages, errors and old input.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.reflash()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn reflash(&self) -> Result<(), SessionError> {
        self.write_flash(Flash::keep_all)
    }

    /// Keeps the named messages for one request more; several calls add up.
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn reflash_only(&self, keys: &[&str]) -> Result<(), SessionError> {
        self.write_flash(|flash| flash.keep(Kind::Flash, |key| keys.contains(&key)))
    }

    /// Keeps the messages but the named ones for one request more; several calls add up.
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn reflash_except(&self, keys: &[&str]) -> Result<(), SessionError> {
        self.write_flash(|flash| flash.keep(Kind::Flash, |key| !keys.contains(&key)))
    }

    /// Leaves entries for the next request. Refuses what that could not read back.
    fn put_flash(&self, kind: Kind, entries: Map<String, Value>) -> Result<(), SessionError> {
        for (name, value) in &entries {
            check_depth(&Path::from_segments([name]), LEVELS_AROUND, value::depth(value))?;
        }
        self.write_flash(|flash| flash.put(kind, entries))
    }

    /// Makes a change that says whether anything differs afterwards.
    fn write_flash(&self, change: impl FnOnce(&mut Flash) -> bool) -> Result<(), SessionError> {
        self.write(|state| Ok(((), change(&mut state.payload.flash))))
    }

    fn read_flash<R>(&self, read: impl FnOnce(Option<&Bags>) -> R) -> R {
        let mut state = self.read_state();
        // A save that is under way has not seen that it is used up.
        state.revision = state.revision.wrapping_add(1);
        read(state.payload.flash.read())
    }
}

/// The messages that an earlier request left for this one.
#[derive(Clone)]
pub struct FlashMessages(Map<String, Value>);

impl FlashMessages {
    /// The message under a key, `None` when it is absent or null. A name with dots is the message of this name, or else
    /// the path that it spells.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when it is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: impl Into<Path>) -> Result<Option<T>, SessionError> {
        let key = key.into();
        read_found(find_named(&self.0, &key)?, &key)
    }

    /// Whether there is a message under a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key) || find(&self.0, &key.into()).is_ok_and(|found| found.is_some())
    }

    /// All messages.
    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for FlashMessages {
    /// Security: how many there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FlashMessages({} messages)", self.0.len())
    }
}

/// Names of forms and messages are not always meant as paths: `user.email` is a field's name as well.
fn find_named<'m>(members: &'m Map<String, Value>, name: &Path) -> Result<Option<&'m Value>, SessionError> {
    members.get(&name.to_string()).map_or_else(|| find(members, name), |found| Ok(Some(found)))
}

fn read_found<T: DeserializeOwned>(found: Option<&Value>, name: &Path) -> Result<Option<T>, SessionError> {
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(found) => from_json(name, found).map(Some),
    }
}

fn find<'m>(members: &'m Map<String, Value>, path: &Path) -> Result<Option<&'m Value>, SessionError> {
    let (first, rest) = path.checked()?;
    Ok(members.get(first).and_then(|value| value::find(value, rest)))
}

fn texts(messages: &Value) -> Vec<String> {
    messages.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
