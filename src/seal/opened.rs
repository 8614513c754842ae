//! The public door: typed and dynamic, for tools, tests and jobs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::envelope::with_scratch;
use super::{Body, CookieNonce, OpenedCookie, Sealer};
use crate::clock::Timestamp;
use crate::error::{Reason, SealError};
use crate::id::{KeyId, PublicId};
use crate::json::shape::{Counted, Shape, shape};
use crate::json::shape::{SERDE_JSON_PRIVATE, has_number_beyond_64_bits, has_private_name, repeated_name};
use crate::wire::{Header, Kind, Persistence};

impl Sealer {
    /// Seals a value into the cookie of a new session that begins now and lives for the idle timeout.
    ///
    /// The value serializes to a JSON object. Its member `"~"` is the crate's own (wire format, section 3.1): it is taken
    /// as it is when a session manager reads it, so that what was opened can be sealed again.
    ///
    /// ```
    /// use sealed_session::sealer::{SealError, Sealer};
    /// use sealed_session::{Key, Timestamp};
    /// use serde_json::json;
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let now = Timestamp::from_unix_seconds(1_795_000_000);
    /// assert!(sealer.seal(&json!({ "user": 42, "~": { "flash": { "notice": "Welcome." } } }), now).is_ok());
    ///
    /// let refused = sealer.seal(&json!({ "~": { "flash": "Welcome." } }), now);
    /// assert!(matches!(refused, Err(SealError::ReservedMember)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SealError`] when the value is no such object, is one that no session manager would read back as it was (two members
    /// of one name, an integer beyond 64 bits, more than 127 arrays and objects inside one another), is too large for a
    /// cookie, or no random bytes can be had.
    pub fn seal<T: Serialize + ?Sized>(&self, value: &T, now: Timestamp) -> Result<String, SealError> {
        self.seal_new(value, Persistence::IdleTimeout, self.lifetimes.idle_timeout_seconds, now)
    }

    /// As [`Sealer::seal`], with a lifetime of the session's own, in whole seconds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Timestamp};
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let now = Timestamp::from_unix_seconds(1_795_000_000);
    /// let text = sealer.seal_for(&serde_json::json!({}), Duration::from_secs(86_400), now)?;
    /// assert_eq!(sealer.open(&text, now)?.expires().unix_seconds(), 1_795_086_400);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Sealer::seal`], and [`SealError::Lifetime`] for less than a second or more than `remember_max`.
    pub fn seal_for<T: Serialize + ?Sized>(
        &self,
        value: &T,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let (asked_seconds, most_seconds) = (lifetime.as_secs(), self.lifetimes.remember_max_seconds);
        if !(1..=most_seconds).contains(&asked_seconds) {
            return Err(SealError::Lifetime { asked_seconds, most_seconds });
        }
        self.seal_new(value, Persistence::OwnLifetime, asked_seconds, now)
    }

    /// Opens a cookie's value, all ten steps of the wire format's section 4.
    ///
    /// # Errors
    ///
    /// The [`Reason`] for which this is not a session now: for logs and tests, never for the client.
    pub fn open(&self, text: &str, now: Timestamp) -> Result<Opened, Reason> {
        let cookie = self.open_cookie(text.as_bytes(), now)?;
        if let Body::Inline(payload) = &cookie.body {
            check_payload(payload)?;
        }
        let public_id = cookie.header.id.public_id(&self.audience);
        Ok(Opened { cookie, public_id })
    }

    fn seal_new<T: Serialize + ?Sized>(
        &self,
        value: &T,
        persistence: Persistence,
        lifetime_seconds: u64,
        now: Timestamp,
    ) -> Result<String, SealError> {
        let payload_max_bytes = self.payload_max_bytes();
        let (nonce, id) = CookieNonce::draw_with_id()?;
        let header = Header {
            kind: Kind::Inline,
            persistence,
            id,
            created: now,
            issued: now,
            expires: now.saturating_add_seconds(lifetime_seconds),
        };
        let sealed = with_scratch(payload_max_bytes, |room| {
            let payload = serialize(value, room)?;
            match shape(payload).map_err(|error| match payload.first() {
                Some(b'{') => SealError::Value(error),
                _ => SealError::NotAnObject,
            })? {
                Shape::Payload => {}
                Shape::ReservedMember => return Err(SealError::ReservedMember),
            }
            check_readable(payload)?;
            let mut text = String::with_capacity(self.text_length(payload.len()).unwrap_or(0));
            self.seal_cookie(nonce, &header, payload, &mut text).map(|()| text)
        });
        sealed.unwrap_or(Err(SealError::TooLarge { payload_bytes: 0, payload_max_bytes }))
    }
}

/// What a cookie says. It was authentic, and valid at the instant it was opened at.
pub struct Opened {
    cookie: OpenedCookie,
    public_id: PublicId,
}

impl Opened {
    /// Whether the data is in a record of the server store, and only a reference in the cookie.
    #[must_use]
    pub const fn is_reference(&self) -> bool {
        matches!(self.cookie.body, Body::Reference { .. })
    }

    /// The least version of the record that the reference accepts; `None` for an inline cookie.
    #[must_use]
    pub const fn least_version(&self) -> Option<u64> {
        match self.cookie.body {
            Body::Reference { least_version } => Some(least_version),
            Body::Inline(_) => None,
        }
    }

    /// Whether the cookie ends with the browser.
    #[must_use]
    pub fn is_browser_session(&self) -> bool {
        self.cookie.header.persistence == Persistence::BrowserSession
    }

    /// Birth of the session.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.cookie.header.created
    }

    /// When this cookie was sealed.
    #[must_use]
    pub const fn issued(&self) -> Timestamp {
        self.cookie.header.issued
    }

    /// End of the idle lifetime.
    #[must_use]
    pub const fn expires(&self) -> Timestamp {
        self.cookie.header.expires
    }

    /// The key that sealed this cookie.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.cookie.key_id
    }

    /// The session's id for logs.
    #[must_use]
    pub const fn public_id(&self) -> PublicId {
        self.public_id
    }

    /// The whole data, the crate's own member `"~"` included; `None` for a reference.
    #[must_use]
    pub fn payload(&self) -> Option<Map<String, Value>> {
        match &self.cookie.body {
            Body::Inline(payload) => serde_json::from_slice(payload).ok(),
            Body::Reference { .. } => None,
        }
    }

    /// The whole data as the JSON text that was sealed, the crate's own member `"~"` included; `None` for a reference.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Timestamp};
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let text = sealer.seal(&serde_json::json!({ "user": 42 }), Timestamp::default())?;
    /// assert_eq!(sealer.open(&text, Timestamp::default())?.payload_json(), Some(r#"{"user":42}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn payload_json(&self) -> Option<&str> {
        match &self.cookie.body {
            Body::Inline(payload) => std::str::from_utf8(payload).ok(),
            Body::Reference { .. } => None,
        }
    }

    /// The data as a value of the application's own type.
    ///
    /// ```
    /// use sealed_session::sealer::Sealer;
    /// use sealed_session::{Key, Timestamp};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Account { user: u64 }
    ///
    /// let sealer = Sealer::builder(Key::generate()?).build()?;
    /// let text = sealer.seal(&Account { user: 42 }, Timestamp::default())?;
    /// let account: Account = sealer.open(&text, Timestamp::default())?.read()?;
    /// assert_eq!(account.user, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Reason::Payload`] when the data is no `T`, and for a reference, whose data is elsewhere.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Reason> {
        match &self.cookie.body {
            Body::Inline(payload) => serde_json::from_slice(payload).map_err(|_| Reason::Payload),
            Body::Reference { .. } => Err(Reason::Payload),
        }
    }
}

impl fmt::Debug for Opened {
    /// Without the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("public_id", &self.public_id)
            .field("key_id", &self.key_id())
            .field("is_reference", &self.is_reference())
            .field("created", &self.created())
            .field("issued", &self.issued())
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}

/// Wire format, section 4, step 10: the depth is bounded, so that reading a session never overflows the stack.
pub(super) fn check_payload(payload: &[u8]) -> Result<(), Reason> {
    match shape(payload) {
        Ok(Shape::Payload) if !has_number_beyond_64_bits(payload) => Ok(()),
        Ok(Shape::Payload | Shape::ReservedMember) | Err(_) => Err(Reason::Payload),
    }
}

/// The JSON of a value on the stack, as far as a cookie could carry it.
fn serialize<'a, T: Serialize + ?Sized>(value: &T, room: &'a mut [u8]) -> Result<&'a [u8], SealError> {
    let payload_max_bytes = room.len();
    let mut rest = &mut *room;
    match serde_json::to_writer(&mut rest, value) {
        Ok(()) => {
            let length = payload_max_bytes.saturating_sub(rest.len());
            Ok(room.get(..length).unwrap_or_default())
        }
        Err(error) if error.is_io() => {
            let mut counted = Counted::default();
            serde_json::to_writer(&mut counted, value).map_err(SealError::Value)?;
            Err(SealError::TooLarge { payload_bytes: counted.0, payload_max_bytes })
        }
        Err(error) => Err(SealError::Value(error)),
    }
}

/// Refuses an object that a session manager would not read back as it was.
fn check_readable(payload: &[u8]) -> Result<(), SealError> {
    if let Some(name) = repeated_name(payload) {
        // Written as JSON writes it, so that no name breaks a log's line.
        let name = String::from_utf8_lossy(name);
        let problem = format!("two members have the name \"{name}\"; keep or rename one");
        return Err(SealError::Unreadable { problem });
    }
    if has_private_name(payload) {
        let problem = format!("no member's name may start with \"{SERDE_JSON_PRIVATE}\"; choose another name");
        return Err(SealError::Unreadable { problem });
    }
    if has_number_beyond_64_bits(payload) {
        let problem = "a number does not fit 64 bits; keep it as text".to_owned();
        return Err(SealError::Unreadable { problem });
    }
    Ok(())
}
