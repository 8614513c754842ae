/// Name and attributes of the session cookie, as `Set-Cookie` carries them (RFC 6265bis §4.1).
///
/// The defaults are the strictest that a web application can live with: `__Host-session`, `Path=/`, `Secure`,
/// `HttpOnly`, `SameSite=Lax`, no `Domain`, not `Partitioned`. Combinations that browsers refuse are found when the store
/// is built, and not by a user whose login does not last.
///
/// ```
/// use sealed_session::cookie::{CookieAttributes, SameSite};
///
/// // One cookie for all subdomains: `Domain` rules the `__Host-` prefix out.
/// let shared = CookieAttributes::new().name("__Secure-session").domain("example.com");
///
/// // For pages that other sites embed.
/// let embedded = CookieAttributes::new().same_site(SameSite::None).partitioned(true);
///
/// // For the administration alone, and never from a link on another site.
/// let administration =
///     CookieAttributes::new().name("__Secure-admin").path("/admin").same_site(SameSite::Strict);
///
/// assert_ne!(shared, embedded);
/// assert_ne!(administration, CookieAttributes::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieAttributes {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    pub(crate) partitioned: bool,
}

impl CookieAttributes {
    /// The defaults.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// assert_eq!(CookieAttributes::new(), CookieAttributes::new().name("__Host-session").path("/").secure(true));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            // Security: of the prefixes that every browser knows the strictest: no subdomain and no plain http can set it.
            name: "__Host-session".to_owned(),
            path: "/".to_owned(),
            domain: None,
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    /// The name: up to [`COOKIE_NAME_MAX_BYTES`](crate::limits::COOKIE_NAME_MAX_BYTES) token characters (RFC 9110
    /// §5.6.2), compared byte for byte.
    ///
    /// Browsers hold names that begin with `__Host-`, `__Secure-`, `__Http-` or `__Host-Http-` to the attributes that the
    /// prefix promises (RFC 6265bis §4.1.3), and so does this crate.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new().name("__Host-shop");
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same attributes for another name, as far as its prefix lets it have them.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        let renamed = Self { name: name.to_owned(), ..self.clone() };
        // RFC 6265bis §4.1.3.2
        if name.starts_with("__Host-") { Self { path: "/".to_owned(), domain: None, ..renamed } } else { renamed }
    }

    /// `Path`: the cookie is sent to this path and below, `/` by default; up to
    /// [`COOKIE_ATTRIBUTE_MAX_BYTES`](crate::limits::COOKIE_ATTRIBUTE_MAX_BYTES) bytes, as it stands in a URL.
    ///
    /// It keeps cookies of one host apart, and protects none of them from another (RFC 6265bis §8.5).
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new().name("__Secure-admin").path("/admin");
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// `Domain`: the cookie is sent to this host and to all below it, written without a leading dot; without it, the
    /// default, to the one host that set it. Up to
    /// [`COOKIE_ATTRIBUTE_MAX_BYTES`](crate::limits::COOKIE_ATTRIBUTE_MAX_BYTES) bytes.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new().name("__Secure-session").domain("example.com");
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// `Secure`: the cookie is sent over https alone, and over plain http to `localhost`; `true` by default.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new().name("session").secure(false);
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub const fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// `HttpOnly`: scripts of the page do not see the cookie; `true` by default.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new().http_only(false);
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub const fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// `SameSite`: which requests from other sites carry the cookie; [`SameSite::Lax`] by default.
    ///
    /// ```
    /// use sealed_session::cookie::{CookieAttributes, SameSite};
    ///
    /// let attributes = CookieAttributes::new().same_site(SameSite::Strict);
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// `Partitioned`: embedded under several sites, the browser keeps one cookie for each of them; `false` by default.
    ///
    /// ```
    /// use sealed_session::cookie::{CookieAttributes, SameSite};
    ///
    /// let attributes = CookieAttributes::new().same_site(SameSite::None).partitioned(true);
    /// # assert_ne!(attributes, CookieAttributes::new());
    /// ```
    #[must_use]
    pub const fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// The name that requests are searched for and values are bound to.
    pub(crate) fn cookie_name(&self) -> &str {
        &self.name
    }
}

impl Default for CookieAttributes {
    fn default() -> Self {
        Self::new()
    }
}

/// Which requests from other sites carry the cookie (RFC 6265bis §4.1.2.7).
///
/// It is always written: without it browsers take `Lax`, and some of them send a cookie younger than two minutes with
/// every cross-site form post all the same (RFC 6265bis §5.6.7.2).
///
/// ```
/// use sealed_session::cookie::SameSite;
///
/// assert_eq!(SameSite::default(), SameSite::Lax);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// None of them: a link from another site finds the user logged out.
    Strict,
    /// Links and other navigations with a safe method.
    #[default]
    Lax,
    /// All of them; needs `Secure`. Every form on the web can post with the cookie: check CSRF tokens.
    None,
}
