/// What the driver reads of a request: header values as bytes, so that no framework's types cross.
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
    pub(super) cookie_headers: Vec<&'a [u8]>,
    pub(super) sec_fetch_dest: Option<&'a [u8]>,
}

impl<'a> RequestFacts<'a> {
    /// A request without headers.
    pub const fn new() -> Self {
        Self { cookie_headers: Vec::new(), sec_fetch_dest: None }
    }

    /// One value of a `Cookie` header field; call it for each of them, in their order.
    pub fn cookie_header(mut self, value: &'a [u8]) -> Self {
        self.cookie_headers.push(value);
        self
    }

    /// The value of the `Sec-Fetch-Dest` header field: tells a navigation from a background request.
    pub const fn sec_fetch_dest(mut self, value: &'a [u8]) -> Self {
        self.sec_fetch_dest = Some(value);
        self
    }

    /// Whether this is a navigation, or may be one: older browsers and other clients do not send the header.
    pub(super) fn is_navigation(&self) -> bool {
        self.sec_fetch_dest.is_none_or(|dest| dest == b"document")
    }
}

/// What the driver reads of a response, before it adds the session's headers.
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
    pub(super) status: u16,
    pub(super) cache_control: Vec<&'a [u8]>,
    pub(super) vary: Vec<&'a [u8]>,
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

/// What the response gets of its session.
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
