use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::Payload;
use super::data::Change;
use super::state::{Flash, IdChange, Phase, State};
use crate::clock::Timestamp;
use crate::error::{CommitError, LoadError, RandomError, SessionError};
use crate::events::{Event, Observers};
use crate::id::{PublicId, SessionId};
use crate::json::date::{json_to_time, time_to_text};
use crate::json::exact::{to_json, to_object};
use crate::json::number::Amount;
use crate::json::path::Path;
use crate::json::text::{Found, Text};
use crate::seal::{CookieNonce, Sealer};
use crate::wire::Persistence;

/// The session of one request: a cheap clone of it is the same session.
///
/// All calls are synchronous and take `&self`. What they change is written once, when the response is returned. Values
/// are JSON; a path like `"user.email"` names one inside of another, and [`Path::from_segments`] names keys with dots.
///
/// ```
/// # use sealed_session::{SessionManager, Key, RequestFacts};
/// # pollster::block_on(async {
/// # let manager = SessionManager::builder(Key::generate()?).build()?;
/// # let pending = manager.begin(&RequestFacts::new());
/// # let session = pending.session().await?;
/// session.put("user.email", "zoe@example.com")?;
/// session.increment("visits", 1)?;
///
/// let email: Option<String> = session.get("user.email")?;
/// assert_eq!(email.as_deref(), Some("zoe@example.com"));
/// assert_eq!(session.get_or("visits", 0)?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    fixed: Fixed,
    /// An observer is hearing of a write that came too late.
    is_reporting: AtomicBool,
}

/// What writes a session before its response is due, and reads it again.
pub(crate) trait Backing: Send + Sync {
    fn save(&self) -> Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send + '_>>;
    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), LoadError>> + Send + '_>>;
}

/// What does not change during a request.
pub(crate) struct Fixed {
    /// The request. Weakly: a handler may keep the session for longer than that lives.
    pub(crate) backing: Weak<dyn Backing>,
    pub(crate) sealer: Arc<Sealer>,
    /// Of earlier audiences: their CSRF tokens stand in pages that are still open.
    pub(crate) also_verify: Arc<[Arc<Sealer>]>,
    pub(crate) observers: Observers,
    /// When the request asked for its session.
    pub(crate) opened_at: Timestamp,
    pub(crate) has_store: bool,
    /// How sessions persist that ask for nothing else.
    pub(crate) persistence: Persistence,
}

/// How often `pull` reads a value that changes meanwhile.
const PULL_TRIES: usize = 100;

impl Session {
    pub(crate) fn new(state: State, fixed: Fixed) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(state), fixed, is_reporting: AtomicBool::new(false) }))
    }

    pub(super) fn backing(&self) -> Option<Arc<dyn Backing>> {
        self.0.fixed.backing.upgrade()
    }

    /// The value at a path, `None` when it is absent or null.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("visits", &3)?;
    /// let visits: Option<u64> = session.get("visits")?;
    /// assert_eq!(visits, Some(3));
    /// assert!(session.get::<String>("visits").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] names the path, and what stands there, when that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, path: impl Into<Path>) -> Result<Option<T>, SessionError> {
        let path = path.into();
        self.read_found(|state| state.payload.data.locate(&path), |found| found.read(&path))
    }

    /// The value at a path, or `default` when it is absent or null. `0`, `false` and `""` are values.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// assert_eq!(session.get_or("theme", "light".to_owned())?, "light");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn get_or<T: DeserializeOwned>(&self, path: impl Into<Path>, default: T) -> Result<T, SessionError> {
        self.get(path).map(|value| value.unwrap_or(default))
    }

    /// The date at a path, `None` when it is absent or null.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when it is no date in ISO 8601.
    pub fn get_time(&self, path: impl Into<Path>) -> Result<Option<OffsetDateTime>, SessionError> {
        let path = path.into();
        self.look(|state| match state.payload.data.find(&path)? {
            None | Some(Value::Null) => Ok(None),
            Some(value) => json_to_time(&path, value).map(Some),
        })
    }

    /// Whether a value stands at a path that is not null.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("nickname", &None::<String>)?;
    /// assert!(!session.has("nickname")?);
    /// assert!(session.contains("nickname")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`] for a path that cannot name a value.
    pub fn has(&self, path: impl Into<Path>) -> Result<bool, SessionError> {
        let path = path.into();
        self.look(|state| state.payload.data.has(&path))
    }

    /// Whether a value stands at a path, null included.
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`] for a path that cannot name a value.
    pub fn contains(&self, path: impl Into<Path>) -> Result<bool, SessionError> {
        let path = path.into();
        self.look(|state| state.payload.data.contains(&path))
    }

    /// A copy of all data.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user.name", "Zoë")?;
    /// assert_eq!(session.all()["user"]["name"], "Zoë");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn all(&self) -> Map<String, Value> {
        self.read_state().payload.data.all()
    }

    /// All data as one value of the application's own type.
    ///
    /// # Errors
    ///
    /// [`SessionError::Type`] when the data are no `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        self.read_found(|state| Ok(state.payload.data.locate_all()), Found::read_whole)
    }

    /// Whether there is no data.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read_state().payload.data.is_empty()
    }

    /// Puts a value at a path, making the objects above it. An equal value is no change; where the session is written all the
    /// same, it wins over what a parallel request put there before.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user.name", "Zoë")?;
    /// session.put("user.roles", &["editor"])?;
    /// assert_eq!(session.get("user.roles.0")?, Some("editor".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Value`] for what JSON cannot hold exactly, [`SessionError::Type`] for an index that an array does
    /// not have, [`SessionError::Destroyed`] or [`SessionError::Committed`] when it is too late.
    #[doc(alias = "insert")]
    pub fn put<T: Serialize + ?Sized>(&self, path: impl Into<Path>, value: &T) -> Result<(), SessionError> {
        let path = path.into();
        let value = to_json(&path, value)?;
        self.change(Change::Put(path, value)).map(drop)
    }

    /// Puts a date at a path, in ISO 8601.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// let now = sealed_session::Timestamp::from_unix_seconds(1_795_000_000).to_date_time();
    /// session.put_time("last_seen", now)?;
    /// assert_eq!(session.get_time("last_seen")?, Some(now));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`].
    pub fn put_time(&self, path: impl Into<Path>, time: OffsetDateTime) -> Result<(), SessionError> {
        let path = path.into();
        let text = time_to_text(&path, time)?;
        self.put(path, &text)
    }

    /// Puts every member of an object, each under its name as it is.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.merge(&serde_json::json!({ "theme": "dark", "language": "fr" }))?;
    /// assert_eq!(session.get_or("theme", String::new())?, "dark");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`]; then nothing was put.
    pub fn merge<T: Serialize + ?Sized>(&self, object: &T) -> Result<(), SessionError> {
        self.change(Change::Merge(to_object(object)?)).map(drop)
    }

    /// Removes the value at a path; a missing one is no change. Elements behind one that left an array move up.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("cart", &["book"])?;
    /// session.forget("cart")?;
    /// assert!(session.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Path`] for a path that cannot name a value, or as [`Session::put`] when it is too late.
    #[doc(alias = "remove")]
    #[doc(alias = "delete")]
    pub fn forget(&self, path: impl Into<Path>) -> Result<(), SessionError> {
        self.change(Change::Forget(path.into())).map(drop)
    }

    /// Removes the value at a path and returns it; it stays when it is no `T`.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("return_to", "/profile")?;
    /// assert_eq!(session.pull("return_to")?, Some("/profile".to_owned()));
    /// assert!(!session.has("return_to")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::get`] and [`Session::forget`].
    pub fn pull<T: DeserializeOwned>(&self, path: impl Into<Path>) -> Result<Option<T>, SessionError> {
        let path = path.into();
        for _ in 0..PULL_TRIES {
            let found = {
                let mut state = self.state();
                state.touched = true;
                self.writable(state)?.payload.data.locate(&path)?
            };
            let pulled = found.clone().read(&path)?;
            let state = self.state();
            // Another thread may have written since, or the type's `Deserialize`: what they left is looked at again.
            if state.payload.data.locate(&path)?.is_same(&found) {
                return self.write_locked(state, |state| state.change(Change::Pull(path))).map(|_| pulled);
            }
        }
        Err(SessionError::Value {
            path: path.to_string(),
            problem: "it changed each time that it was read; pull it as a type whose `Deserialize` does not write it"
                .to_owned(),
        })
    }

    /// Adds to the number at a path, a missing one counting as 0, and returns the sum.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.increment("visits", 1)?;
    /// assert_eq!(session.increment("visits", 2)?, 3.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When something else than a number stands there, or the sum leaves 64 bits.
    pub fn increment(
        &self,
        path: impl Into<Path>,
        amount: impl Into<Amount>,
    ) -> Result<serde_json::Number, SessionError> {
        let sum = self.change(Change::Increment(path.into(), amount.into()))?;
        // An increment always has a sum.
        Ok(sum.unwrap_or_else(|| serde_json::Number::from(0)))
    }

    /// Subtracts from the number at a path, a missing one counting as 0, and returns the difference.
    ///
    /// # Errors
    ///
    /// As [`Session::increment`].
    pub fn decrement(
        &self,
        path: impl Into<Path>,
        amount: impl Into<Amount>,
    ) -> Result<serde_json::Number, SessionError> {
        self.increment(path, -amount.into())
    }

    /// Appends to the array at a path, making it when it is missing.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.push("cart", "book")?;
    /// session.push("cart", "pen")?;
    /// assert_eq!(session.get_or("cart", Vec::<String>::new())?, ["book", "pen"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`], and [`SessionError::Type`] when something else than an array stands there.
    pub fn push<T: Serialize + ?Sized>(&self, path: impl Into<Path>, value: &T) -> Result<(), SessionError> {
        let path = path.into();
        let value = to_json(&path, value)?;
        self.change(Change::Push(path, value)).map(drop)
    }

    /// Removes all data, and flash of earlier requests. Without any written in this one, the session ends and its cookie
    /// is removed.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// session.put("user", &42)?;
    /// session.clear()?;
    /// assert!(session.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`] when it is too late.
    pub fn clear(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.cleared = true;
            let flash_changed = state.payload.flash.clear_earlier();
            let (_, changed) = state.change(Change::Clear)?;
            Ok(((), changed || flash_changed))
        })
    }

    /// Replaces all data by one value of the application's own type.
    ///
    /// In the store, another request that writes in between makes this a conflict at commit.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key, RequestFacts};
    /// # pollster::block_on(async {
    /// # let manager = SessionManager::builder(Key::generate()?).build()?;
    /// # let pending = manager.begin(&RequestFacts::new());
    /// # let session = pending.session().await?;
    /// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    /// struct Visitor { name: String }
    /// let visitor = Visitor { name: "Zoë".to_owned() };
    /// session.replace(&visitor)?;
    /// assert_eq!(session.read::<Visitor>()?, visitor);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Session::put`], and when the value is no object.
    pub fn replace<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), SessionError> {
        self.change(Change::Replace(to_object(value)?)).map(drop)
    }

    /// The id that logs may show; `None` while there is nothing to keep.
    #[must_use]
    pub fn id(&self) -> Option<PublicId> {
        let mut state = self.read_state();
        let is_to_be_written = state.phase == Phase::Live && (!state.payload.is_empty() || state.must_exist);
        let exists = state.id.is_some() || is_to_be_written;
        // Drawn now for a session that is still to be written.
        exists.then(|| state.ensure_id().ok().map(|id| self.public(id))).flatten()
    }

    /// Whether something was written since the session was loaded or saved, also where a later call took it back.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        let state = self.read_state();
        state.changed && (state.expires.is_some() || !state.payload.is_empty())
    }

    /// Whether the request came without a good session cookie.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.expires_at().is_none()
    }

    /// Birth of the session; for a new one, the time of this request.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.read_state().created
    }

    /// When the session ends if it is not used again, as the request found it; `None` for a new session.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.read_state().expires
    }

    /// The id of a session that has one already.
    pub(crate) fn public_id(&self) -> Option<PublicId> {
        self.state().id.as_ref().map(|id| self.public(id))
    }

    pub(crate) fn public(&self, id: &SessionId) -> PublicId {
        id.public_id(self.0.fixed.sealer.audience())
    }

    pub(crate) fn fixed(&self) -> &Fixed {
        &self.0.fixed
    }

    /// The state, without counting as a use of the session.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A handler that panicked while it held the lock had finished or not begun its change: each is one assignment.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for a call that makes the response depend on the session.
    pub(crate) fn read_state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.touched = true;
        state.used = true;
        state
    }

    /// Looks at the state. A look that fails is no use of the session, and renews nothing.
    pub(super) fn look<R>(&self, look: impl FnOnce(&State) -> Result<R, SessionError>) -> Result<R, SessionError> {
        let mut state = self.state();
        state.touched = true;
        let found = look(&state);
        state.used |= found.is_ok();
        found
    }

    /// Finds something under the lock and reads it without: a type's `Deserialize` may call the session.
    fn read_found<R>(
        &self,
        find: impl FnOnce(&State) -> Result<Found, SessionError>,
        read: impl FnOnce(Found) -> Result<R, SessionError>,
    ) -> Result<R, SessionError> {
        let (found, is_used) = {
            let mut state = self.state();
            state.touched = true;
            (find(&state)?, state.used)
        };
        let read = read(found)?;
        if !is_used {
            self.state().used = true;
        }
        Ok(read)
    }

    fn change(&self, change: Change) -> Result<Option<serde_json::Number>, SessionError> {
        self.write(|state| state.change(change))
    }

    /// Runs a change that tells its result and whether the data differ afterwards.
    pub(crate) fn write<R>(
        &self,
        change: impl FnOnce(&mut State) -> Result<(R, bool), SessionError>,
    ) -> Result<R, SessionError> {
        let mut state = self.state();
        state.touched = true;
        self.write_locked(state, change)
    }

    fn write_locked<R>(
        &self,
        state: MutexGuard<'_, State>,
        change: impl FnOnce(&mut State) -> Result<(R, bool), SessionError>,
    ) -> Result<R, SessionError> {
        let mut state = self.writable(state)?;
        // Security: a server without a store may open a session that another one has marked. What must stay on a server is
        // refused here, and nothing of the call is kept.
        let before = (!self.fixed().has_store && state.payload.has_marks()).then(|| state.payload.clone());
        let mut outcome = change(&mut state);
        if let Some(before) = before
            && state.payload.kept_on_server() > before.kept_on_server()
        {
            state.payload = before;
            outcome = Err(SessionError::NoStore);
        }
        let changed = matches!(outcome, Ok((_, true)));
        state.used |= outcome.is_ok();
        state.changed |= changed;
        state.revision = state.revision.wrapping_add(1);
        outcome.map(|(result, _)| result)
    }

    /// The state, where a write would be kept. Reports a write that comes too late.
    fn writable<'s>(&'s self, state: MutexGuard<'s, State>) -> Result<MutexGuard<'s, State>, SessionError> {
        let Err(refused) = state.check_writable() else { return Ok(state) };
        if matches!(state.phase, Phase::Committed | Phase::Abandoned) {
            let id = state.id.clone();
            // An observer is the application's code, and may write to this very session: not under the lock, and once.
            drop(state);
            if !self.0.is_reporting.swap(true, Ordering::SeqCst) {
                let id = id.map(|id| self.public(&id));
                self.0.fixed.observers.tell(&Event::WriteAfterCommit { id });
                self.0.is_reporting.store(false, Ordering::SeqCst);
            }
        }
        Err(refused)
    }
}

impl fmt::Debug for Session {
    /// Without the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Session")
            .field("id", &state.id.as_ref().map(|id| self.public(id)))
            .field("phase", &state.phase)
            .field("changed", &state.changed)
            .finish_non_exhaustive()
    }
}

// What a write would keep of a session, taken at one moment.

/// A session as its handlers want it to be.
pub(crate) struct Draft {
    /// Of how many ids of the session this was written with the last: it may get another one meanwhile.
    ids: u64,
    pub(crate) id_change: IdChange,
    pub(crate) created: Timestamp,
    pub(crate) persistence: Persistence,
    pub(crate) own_lifetime_seconds: u64,
    /// The application ended the session.
    pub(crate) destroyed: bool,
    /// Something was written that must not be lost.
    pub(crate) has_unsaved: bool,
    /// Something was asked for that is lost unless it is written: that, or another id.
    pub(crate) has_unkept: bool,
    /// Messages were read, and are used up.
    pub(crate) used_flash: bool,
    /// There is something to keep.
    pub(crate) has_something: bool,
    /// The application left nothing in a session that had something.
    pub(crate) emptied: bool,
    /// A call on the session succeeded.
    pub(crate) used: bool,
    /// A key that must never travel in the cookie is there.
    pub(crate) must_stay_on_server: bool,
    revision: u64,
    /// So many changes of this request were made until then.
    changes: usize,
    flash: Flash,
}

impl Draft {
    /// Whether the application has ended the session.
    pub(crate) fn ends(&self) -> bool {
        self.destroyed || self.id_change == IdChange::Invalidated
    }

    pub(crate) const fn moment(&self) -> Moment {
        Moment { revision: self.revision, ids: self.ids }
    }

    fn of(state: &State) -> Self {
        Self {
            ids: state.ids,
            id_change: state.id_change,
            created: state.created,
            persistence: state.persistence,
            own_lifetime_seconds: state.own_lifetime_seconds,
            destroyed: state.phase == Phase::Destroyed,
            has_unsaved: state.has_unsaved(),
            has_unkept: state.has_unkept(),
            used_flash: state.payload.flash.is_changed(),
            has_something: !state.payload.is_empty() || state.must_exist,
            emptied: state.is_emptied(),
            used: state.used,
            must_stay_on_server: state.payload.kept_on_server() > 0,
            revision: state.revision,
            changes: state.changes.made(),
            flash: state.payload.flash.clone(),
        }
    }
}

/// The moment at which a draft was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    revision: u64,
    ids: u64,
}

/// What a request leaves undone when it ends without a commit.
pub(crate) enum Undone {
    Logout,
    Writes(Option<PublicId>),
}

impl Session {
    /// The session as it is to be written now.
    pub(crate) fn draft(&self) -> Draft {
        Draft::of(&self.state())
    }

    /// Whether no call has written since a draft was taken, so that what was read since belongs to it.
    pub(crate) fn is_at(&self, moment: Moment) -> bool {
        let state = self.state();
        moment == Moment { revision: state.revision, ids: state.ids }
    }

    /// Whether the application has ended the session that was loaded.
    pub(crate) fn was_ended(&self) -> bool {
        let state = self.state();
        state.phase == Phase::Destroyed || state.id_change == IdChange::Invalidated
    }

    /// Whether the response depends on the session, and whether it carries a token.
    pub(crate) fn response_facts(&self) -> (bool, bool) {
        let state = self.state();
        (state.touched, state.made_token)
    }

    /// Takes the session for its last writing: every later write is an error to its writer.
    pub(crate) fn freeze(&self) {
        let mut state = self.state();
        if state.phase == Phase::Live {
            state.phase = Phase::Committed;
        }
    }

    /// The request is over without a commit: every later write is an error to its writer.
    pub(crate) fn abandon(&self) -> Option<Undone> {
        let mut state = self.state();
        let draft = Draft::of(&state);
        if matches!(state.phase, Phase::ReadOnly | Phase::Abandoned) {
            return None;
        }
        state.phase = Phase::Abandoned;
        let id = state.id.as_ref().map(|id| self.public(id));
        if draft.ends() {
            Some(Undone::Logout)
        } else {
            (draft.has_unsaved || draft.id_change != IdChange::None).then_some(Undone::Writes(id))
        }
    }

    /// Notes that the session was written as it was drafted. What changed since then is still to be written; and what may have
    /// to be made again on other data is remembered all the same.
    pub(crate) fn mark_saved(&self, written: &Draft, remembers: bool) {
        let mut state = self.state();
        let is_unchanged = state.revision == written.revision;
        if state.ids == written.ids {
            state.id_change = IdChange::None;
            if written.emptied {
                // The next write begins a new session.
                state.drop_id();
                state.created = self.fixed().opened_at;
                state.persistence = self.fixed().persistence;
            }
        }
        if remembers {
            state.changes.keep_saved(written.changes);
        } else {
            state.changes.forget_until(written.changes);
        }
        state.changed = !is_unchanged;
        state.cleared &= !is_unchanged;
        if (state.persistence, state.own_lifetime_seconds) == (written.persistence, written.own_lifetime_seconds) {
            state.saved_persistence |= remembers && state.chose_persistence;
            state.chose_persistence = false;
        }
        if is_unchanged {
            state.loaded_with_data = !state.payload.data.is_empty();
        }
        // What was left before the session was ended is not the next one's.
        if state.ids == written.ids {
            state.payload.flash.mark_saved(&written.flash, remembers);
        }
    }

    /// Becomes what was read again; `false` for one that is committed or has been ended, and stays so.
    pub(crate) fn become_like(&self, other: &Self) -> bool {
        let fresh = std::mem::replace(&mut *other.state(), State::new(Timestamp::default(), Persistence::default()));
        let mut state = self.state();
        if state.phase != Phase::Live || state.id_change == IdChange::Invalidated {
            return false;
        }
        let before = std::mem::replace(&mut *state, fresh);
        state.touched = before.touched;
        state.used = before.used;
        state.made_token = before.made_token;
        state.revision = before.revision.wrapping_add(1);
        state.ids = before.ids.wrapping_add(1);
        state.changes = before.changes.saved();
        state.saved_persistence = before.saved_persistence;
        state.payload.flash.read_as(&before.payload.flash);
        true
    }

    /// What a write of the session needs of the operating system: a nonce, and the id, made now for a session that has none.
    pub(crate) fn draw(&self) -> Result<(CookieNonce, SessionId), RandomError> {
        let mut state = self.state();
        if let Some(id) = &state.id {
            return Ok((CookieNonce::draw()?, id.clone()));
        }
        let (nonce, id) = CookieNonce::draw_with_id()?;
        state.id = Some(id.clone());
        Ok((nonce, id))
    }

    /// The id to write under, made now for a session that was only asked for.
    pub(crate) fn ensure_id(&self) -> Result<SessionId, RandomError> {
        self.state().ensure_id().cloned()
    }

    /// The JSON that is to be sealed.
    pub(crate) fn payload_json(&self) -> Text {
        self.state().payload.to_json()
    }

    /// Makes this request's changes again on what another has written; `false` when they do not fit there.
    pub(crate) fn replay_onto(
        &self,
        newest: Payload,
        (persistence, own_lifetime_seconds): (Persistence, u64),
        is_login: bool,
    ) -> bool {
        let mut state = self.state();
        let fits = state.replay_onto(newest, is_login);
        if fits && !state.chose_persistence && !state.saved_persistence {
            state.persistence = persistence;
            state.own_lifetime_seconds = own_lifetime_seconds;
        }
        fits
    }

    /// Whether this request has taken a value out.
    pub(crate) fn has_pulled(&self) -> bool {
        self.state().changes.have_pulls()
    }

    /// Whether this request took a value out of the session before it ended it.
    pub(crate) fn ended_after_pulls(&self) -> bool {
        self.state().changes.ended_after_pulls()
    }

    /// Whether what this request took out before it ended the session is still in this JSON.
    pub(crate) fn pulls_hold(&self, found: &Text) -> bool {
        let Ok(mut found) = Payload::parse(found) else { return false };
        self.state().changes.pulls_hold(&mut found.data)
    }

    /// Makes this request's changes again on an empty session that begins now; `false` when they do not fit there.
    pub(crate) fn begin_anew(&self) -> bool {
        if !self.state().remembers {
            // Without a store nothing is made again, so what was written would be lost without a word.
            return false;
        }
        let emptied = self.state().payload.emptied();
        let fits = self.replay_onto(emptied, (self.fixed().persistence, 0), true);
        if fits {
            self.state().created = self.fixed().opened_at;
        }
        fits
    }

    /// Goes on under a new id, for the crate's own reasons; `false` where the application has asked for another one.
    ///
    /// # Errors
    ///
    /// [`RandomError`] where no id can be drawn.
    pub(crate) fn part_ways(&self) -> Result<bool, RandomError> {
        let mut state = self.state();
        if state.id_change != IdChange::None {
            return Ok(false);
        }
        state.replace_id(IdChange::Regenerated)?;
        Ok(true)
    }

    /// The JSON of what was there before, without what this request took out of it.
    pub(crate) fn leftovers_json(&self, before: &Text) -> Text {
        // What cannot be read is left to nobody.
        let before = Payload::parse(before).unwrap_or_default();
        self.state().leftovers(before).to_json()
    }

    /// The JSON without the old input of a form; `None` when there is no input.
    pub(crate) fn payload_json_without_input(&self) -> Option<Text> {
        let mut state = self.state();
        // Kept until it is written: a save that fails leaves the session as it was.
        let whole = state.payload.flash.clone();
        let trimmed = state.payload.flash.drop_input().then(|| state.payload.to_json());
        state.payload.flash = whole;
        trimmed
    }

    /// Gives up the old input of a form, which was left out of what was written.
    pub(crate) fn drop_old_input(&self) {
        self.state().payload.flash.drop_input();
    }

    /// Bytes of JSON that each top-level key takes, the largest first.
    pub(crate) fn member_sizes(&self) -> Vec<(String, usize)> {
        self.state().payload.member_sizes()
    }
}
