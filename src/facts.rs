//! What a manager reads of a request and its response, and what the response gets.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::error::CommitError;

/// What a manager reads of a request: header values as bytes, so that no framework's types cross.
///
/// ```
/// use sealed_session::RequestFacts;
///
/// // HTTP/2 may split the header: hand in each field as it came.
/// let facts = RequestFacts::new()
///     .cookie_header(b"theme=dark")
///     .cookie_header(b"__Host-session=AQ")
///     .sec_fetch_dest(b"document");
/// # let _ = facts;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RequestFacts<'a> {
    // The first apart: a request has one as a rule, and needs no list for it.
    first_cookie_header: Option<&'a [u8]>,
    more_cookie_headers: Vec<&'a [u8]>,
    sec_fetch_dest: Option<&'a [u8]>,
}

impl<'a> RequestFacts<'a> {
    /// A request without headers.
    pub const fn new() -> Self {
        Self { first_cookie_header: None, more_cookie_headers: Vec::new(), sec_fetch_dest: None }
    }

    /// One value of a `Cookie` header field; call it for each of them, in their order.
    pub fn cookie_header(mut self, value: &'a [u8]) -> Self {
        if self.first_cookie_header.is_none() {
            self.first_cookie_header = Some(value);
        } else {
            self.more_cookie_headers.push(value);
        }
        self
    }

    pub(crate) fn cookie_headers(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.first_cookie_header.into_iter().chain(self.more_cookie_headers.iter().copied())
    }

    /// The value of the `Sec-Fetch-Dest` header field: tells navigations, fetches and images apart (Fetch Metadata, §2.1).
    pub const fn sec_fetch_dest(mut self, value: &'a [u8]) -> Self {
        self.sec_fetch_dest = Some(value);
        self
    }

    pub(crate) fn purpose(&self) -> Purpose {
        match self.sec_fetch_dest {
            // Older browsers and other clients do not send it.
            None | Some(b"document" | b"iframe" | b"frame" | b"fencedframe") => Purpose::Navigation,
            Some(b"empty") => Purpose::Fetch,
            Some(_) => Purpose::Part,
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A page, or a frame of one.
    Navigation,
    /// A script's.
    Fetch,
    /// An image, a style, a script: parts of a page.
    Part,
}

/// What a manager reads of a response, before it adds the session's headers.
///
/// ```
/// use sealed_session::ResponseFacts;
///
/// let facts = ResponseFacts::new(200).cache_control(b"public, max-age=60").vary(b"Accept-Encoding");
/// # let _ = facts;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ResponseFacts<'a> {
    pub(crate) status: u16,
    pub(crate) cache_control: Vec<&'a [u8]>,
    pub(crate) vary: Vec<&'a [u8]>,
}

impl<'a> ResponseFacts<'a> {
    /// A response of this status, without headers.
    pub const fn new(status: u16) -> Self {
        Self { status, cache_control: Vec::new(), vary: Vec::new() }
    }

    /// One value of a `Cache-Control` header field; call it for each of them, in their order.
    pub fn cache_control(mut self, value: &'a [u8]) -> Self {
        self.cache_control.push(value);
        self
    }

    /// One value of a `Vary` header field; call it for each of them.
    pub fn vary(mut self, value: &'a [u8]) -> Self {
        self.vary.push(value);
        self
    }
}

/// What the response gets of its session: as facts, and by [`into_header_edits`](Self::into_header_edits) as what is to be done.
///
/// ```
/// use sealed_session::{SessionManager, Key, RequestFacts, ResponseFacts};
///
/// let store = SessionManager::builder(Key::generate()?).build()?;
/// let pending = store.begin(&RequestFacts::new());
/// pending.session_now()?.put("user", &42)?;
/// let commit = pending.commit_now(&ResponseFacts::new(200))?;
/// assert!(commit.set_cookies[0].starts_with("__Host-session="));
/// assert!(commit.add_vary_cookie);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a cookie that is not sent is a session that is lost"]
pub struct Commit {
    /// `Set-Cookie` values: append each as a field of its own, and replace none that the application set.
    pub set_cookies: Vec<String>,
    /// Append the field `Vary: Cookie`.
    pub add_vary_cookie: bool,
    /// Replace all `Cache-Control` fields by this one.
    pub cache_control: Option<String>,
    /// Remove `CDN-Cache-Control` and `Surrogate-Control`, which outrank `Cache-Control` where they are understood.
    pub remove_cdn_cache_control: bool,
}

impl Commit {
    /// What to do to the response's header fields, one after the other. An adapter that makes each of these edits has
    /// done all of it.
    ///
    /// ```
    /// use sealed_session::{HeaderEdit, Key, RequestFacts, ResponseFacts, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// pending.session_now()?.put("user", &42)?;
    ///
    /// let mut fields = vec![("content-type".to_owned(), "text/html".to_owned())];
    /// for edit in pending.commit_now(&ResponseFacts::new(200))?.into_header_edits() {
    ///     if !matches!(edit, HeaderEdit::Append { .. }) {
    ///         fields.retain(|(name, _)| !name.eq_ignore_ascii_case(edit.name()));
    ///     }
    ///     if let HeaderEdit::Append { name, value } | HeaderEdit::Replace { name, value } = edit {
    ///         fields.push((name.to_owned(), value.into_owned()));
    ///     }
    /// }
    /// assert_eq!(fields.len(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_header_edits(self) -> impl Iterator<Item = HeaderEdit> {
        let set_cookies = self.set_cookies.into_iter();
        let vary = self.add_vary_cookie.then_some(Cow::Borrowed("Cookie"));
        let append = |name| move |value| HeaderEdit::Append { name, value };
        let cache_control = self.cache_control.map(Cow::Owned);
        // RFC 9213, and its forerunner: both outrank `Cache-Control` where they are understood.
        let removed =
            ["cdn-cache-control", "surrogate-control"].into_iter().filter(move |_| self.remove_cdn_cache_control);
        set_cookies
            .map(Cow::Owned)
            .map(append("set-cookie"))
            .chain(vary.map(append("vary")))
            .chain(cache_control.map(|value| HeaderEdit::Replace { name: "cache-control", value }))
            .chain(removed.map(|name| HeaderEdit::Remove { name }))
    }
}

/// One edit of a response's header fields: from [`Commit::into_header_edits`]. Names are in lower case.
///
/// Security: all kinds are named here, now and later, because an edit that an adapter does not know would be left out. The
/// value of a `set-cookie` is the session: mark it as sensitive where the framework can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Add a field, and leave others of its name.
    Append {
        /// The field's name.
        name: &'static str,
        /// The field's value.
        value: Cow<'static, str>,
    },
    /// Put one field in the place of all that have its name.
    Replace {
        /// The field's name.
        name: &'static str,
        /// The field's value.
        value: Cow<'static, str>,
    },
    /// Remove all fields of this name.
    Remove {
        /// The fields' name.
        name: &'static str,
    },
}

impl HeaderEdit {
    /// The name of the field that it is about.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Append { name, .. } | Self::Replace { name, .. } | Self::Remove { name } => name,
        }
    }
}

/// A session that was not written, and what the response gets all the same.
///
/// Send the edits of [`FailedCommit::commit`] with the error response: a cookie that an earlier `save` wrote is among them,
/// and without it the client would be left with a session that has moved on.
///
/// ```
/// use sealed_session::testing::{FaultyStore, ManualClock};
/// use sealed_session::{Key, Placement, RequestFacts, ResponseFacts, SessionManager};
///
/// let clock = ManualClock::at_unix_seconds(1_795_000_000);
/// let records = FaultyStore::new(clock.clone());
/// let manager = SessionManager::builder(Key::generate()?)
///     .store(records.clone())
///     .placement(Placement::StoreOnly)
///     .clock(clock)
///     .build()?;
/// let pending = manager.begin(&RequestFacts::new());
/// let session = pending.session_now()?;
/// session.put("step", &1)?;
/// pollster::block_on(session.save())?;
///
/// session.put("step", &2)?;
/// records.go_down();
/// let failed = pending.commit_now(&ResponseFacts::new(200)).unwrap_err();
/// assert_eq!(failed.status_code(), 503);
/// assert_eq!(failed.commit.set_cookies.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct FailedCommit {
    /// Why it was not written.
    pub error: CommitError,
    /// What the error response gets.
    pub commit: Commit,
}

impl FailedCommit {
    /// The status that an adapter answers with: see [`CommitError::status_code`].
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        self.error.status_code()
    }
}

impl fmt::Display for FailedCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for FailedCommit {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
