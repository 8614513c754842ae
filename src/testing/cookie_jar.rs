use std::fmt;

use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::error::{CommitError, LoadError, SessionError};
use crate::limits::COOKIE_NAME_AND_VALUE_MAX_BYTES;
use crate::manager::SessionManager;
use crate::request::{RequestFacts, ResponseFacts};
use crate::session::Session;

/// The cookies of one browser for one host over https, kept as RFC 6265bis §5.7 tells.
///
/// A cookie that is too long, or breaks the rule of its `__Host-` prefix, is dropped without a word, as browsers do; the
/// one before stays. A clone is another browser that has the same cookies.
///
/// ```
/// use sealed_session::testing::{CookieJar, ManualClock};
///
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let mut jar = CookieJar::new(clock.clone());
/// jar.receive("theme=dark; Path=/; Max-Age=60");
/// assert_eq!(jar.cookie_header(), "theme=dark");
///
/// clock.advance_seconds(60);
/// assert_eq!(jar.cookie_header(), "");
/// ```
#[derive(Clone, Debug)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
    clock: ManualClock,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    /// `None` for one that ends with the browser.
    expires: Option<Timestamp>,
}

impl CookieJar {
    /// A browser without cookies.
    #[must_use]
    pub const fn new(clock: ManualClock) -> Self {
        Self { cookies: Vec::new(), clock }
    }

    /// Takes one `Set-Cookie` value.
    pub fn receive(&mut self, line: &str) {
        let mut parts = line.split("; ");
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let attributes: Vec<&str> = parts.collect();
        let is_for_this_host_alone =
            attributes.contains(&"Path=/") && !attributes.iter().any(|part| part.starts_with("Domain="));
        let breaks_its_prefix =
            name.starts_with("__Host-") && !(is_for_this_host_alone && attributes.contains(&"Secure"));
        if breaks_its_prefix || name.len().saturating_add(value.len()) > COOKIE_NAME_AND_VALUE_MAX_BYTES {
            return;
        }
        let max_age = attributes.iter().find_map(|part| part.strip_prefix("Max-Age=")?.parse().ok());
        let expires = max_age.map(|seconds| self.clock.now().saturating_add_seconds(seconds));
        self.plant(name, value);
        if let Some(cookie) = self.cookies.last_mut() {
            cookie.expires = expires;
        }
    }

    /// Puts a cookie into the jar that no server has sent; it ends with the browser.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.retain(|cookie| cookie.name != name);
        self.cookies.push(Cookie { name: name.to_owned(), value: value.to_owned(), expires: None });
    }

    /// The user closes the browser and opens it again.
    pub fn restart(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }

    /// The value of a cookie that the next request would carry.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.alive().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// The `Cookie` header of the next request; empty when there is no cookie.
    #[must_use]
    pub fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self.alive().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        pairs.join("; ")
    }

    /// One request from its start to its end: a handler that uses the session, and a response of status 200 that arrives.
    ///
    /// Without an async runtime, so the store must answer at once, as [`MemoryStore`](crate::store) and
    /// [`FaultyStore`](super::FaultyStore) do.
    ///
    /// # Errors
    ///
    /// [`VisitError`] when the session cannot be loaded or written, or what the handler returns; the cookies stay.
    pub fn visit<R>(
        &mut self,
        store: &SessionManager,
        handle: impl FnOnce(&Session) -> Result<R, SessionError>,
    ) -> Result<R, VisitError> {
        let header = self.cookie_header();
        let pending = store.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        let session = pending.session_now().map_err(VisitError::Load)?;
        let result = handle(&session).map_err(VisitError::Session)?;
        let commit = pending.commit_now(&ResponseFacts::new(200)).map_err(|failed| VisitError::Commit(failed.error))?;
        commit.set_cookies.iter().for_each(|line| self.receive(line));
        Ok(result)
    }

    fn alive(&self) -> impl Iterator<Item = &Cookie> {
        let now = self.clock.now();
        self.cookies.iter().filter(move |cookie| cookie.expires.is_none_or(|expires| now < expires))
    }
}

/// Why a [`CookieJar::visit`] came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum VisitError {
    /// The session could not be loaded.
    Load(LoadError),
    /// The handler failed.
    Session(SessionError),
    /// The session could not be written.
    Commit(CommitError),
}

impl fmt::Display for VisitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(source) => source.fmt(f),
            Self::Session(source) => source.fmt(f),
            Self::Commit(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for VisitError {}
