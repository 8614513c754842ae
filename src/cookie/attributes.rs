use crate::error::ConfigError;
use crate::limits::{COOKIE_ATTRIBUTE_MAX_BYTES, COOKIE_NAME_MAX_BYTES};

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

    /// The name: up to [`COOKIE_NAME_MAX_BYTES`] token characters (RFC 9110
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
    /// [`COOKIE_ATTRIBUTE_MAX_BYTES`] bytes, as it stands in a URL.
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
    /// [`COOKIE_ATTRIBUTE_MAX_BYTES`] bytes.
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

// Cookie name prefixes: RFC 6265bis §4.1.3.

/// Holds a name with a prefix to the attributes that the prefix promises.
pub(super) fn check_prefix(attributes: &CookieAttributes) -> Result<(), ConfigError> {
    let begins_with = |prefix: &Prefix| {
        attributes.name.get(..prefix.text.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.text))
    };
    let Some(prefix) = PREFIXES.iter().find(|prefix| begins_with(prefix)) else {
        return Ok(());
    };
    let text = prefix.text;
    // Security: browsers match prefixes without regard to case (RFC 6265bis §5.4), servers byte for byte: a name
    // between the two looks protected in one of them only.
    if !attributes.name.starts_with(text) {
        return Err(ConfigError::new(
            "name",
            format!("browsers take it for a name with the prefix `{text}`; write the prefix exactly so"),
        ));
    }
    let broken = |setting, rule| {
        let problem = format!("a name that begins with `{text}` demands {rule}, or take another name");
        Err(ConfigError::new(setting, problem))
    };
    if !attributes.secure {
        return broken("secure", "`Secure`; set it");
    }
    if prefix.http_only && !attributes.http_only {
        return broken("http_only", "`HttpOnly`; set it");
    }
    if prefix.host && attributes.path != "/" {
        return broken("path", "`Path=/`; leave the path at its default");
    }
    if prefix.host && attributes.domain.is_some() {
        return broken("domain", "a cookie of one host; leave the domain out");
    }
    Ok(())
}

/// A cookie name prefix, and what browsers demand of a cookie that has it.
struct Prefix {
    text: &'static str,
    /// `Path=/` and no `Domain`: the cookie is of one host.
    host: bool,
    /// `HttpOnly`: the cookie was set by a header.
    http_only: bool,
}

// RFC 6265bis §4.1.3 and, for the two with `Http-`, draft-ietf-httpbis-layered-cookies. All of them demand `Secure`. A
// longer prefix stands before the shorter one that begins it.
const PREFIXES: [Prefix; 4] = [
    Prefix { text: "__Host-Http-", host: true, http_only: true },
    Prefix { text: "__Host-", host: true, http_only: false },
    Prefix { text: "__Http-", host: false, http_only: true },
    Prefix { text: "__Secure-", host: false, http_only: false },
];

// What a cookie's attributes must keep to, so that no browser refuses the cookie or reads it otherwise than we do.

impl CookieAttributes {
    /// Refuses what browsers would refuse or misread, as the building of a store does.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// assert!(CookieAttributes::new().path("/admin").check().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting that cannot work, and the mend.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_name(&self.name)?;
        check_path(&self.path)?;
        self.domain.as_deref().map_or(Ok(()), check_domain)?;
        check_prefix(self)?;
        self.check_secure()
    }

    fn check_secure(&self) -> Result<(), ConfigError> {
        if self.secure {
            return Ok(());
        }
        // RFC 6265bis §5.7: a `SameSite=None` cookie without `Secure` is ignored.
        if self.same_site == SameSite::None {
            return Err(ConfigError::new("same_site", "`SameSite=None` needs `Secure`; set it, or take `Lax`"));
        }
        if self.partitioned {
            return Err(ConfigError::new("partitioned", "`Partitioned` needs `Secure`; set it, or do without"));
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new("name", problem));
    if name.is_empty() {
        return refuse("a cookie has a name; `__Host-session` is the default".to_owned());
    }
    if name.len() > COOKIE_NAME_MAX_BYTES {
        return refuse(format!(
            "{} bytes are too long, {COOKIE_NAME_MAX_BYTES} are the most; take a shorter name",
            name.len()
        ));
    }
    // RFC 6265bis §4.1.1: cookie-name = token.
    if let Some(character) = name.chars().find(|character| !is_token_character(*character)) {
        return refuse(format!(
            "the character {character:?} cannot stand in a cookie's name; take letters, digits, `-`, `_` and `.`"
        ));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new("path", problem));
    check_length("path", path)?;
    // RFC 6265bis §5.6.4: in place of any other path browsers take that of the request.
    if !path.starts_with('/') {
        return refuse("a path begins with `/`, and this one does not; write it from the root of the host".to_owned());
    }
    // RFC 6265bis §4.1.1: no control character and no `;`. Beyond ASCII, and a space, never stand in a request's path.
    if let Some(character) = path.chars().find(|character| !character.is_ascii_graphic() || *character == ';') {
        return refuse(format!("the character {character:?} cannot stand in a path; percent-encode it as in a URL"));
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), ConfigError> {
    check_length("domain", domain)?;
    // RFC 1123 §2.1. Browsers strip a leading dot and ignore a domain that ends in one: RFC 6265bis §4.1.2.3.
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_allowed)
    };
    if !domain.split('.').all(is_label) {
        return Err(ConfigError::new(
            "domain",
            "it is not a host name; write letters, digits and `-` between single dots, none at either end, and \
             international names in their `xn--` form",
        ));
    }
    Ok(())
}

fn check_length(setting: &'static str, value: &str) -> Result<(), ConfigError> {
    // RFC 6265bis §5.6: browsers ignore an attribute that is longer.
    if value.len() > COOKIE_ATTRIBUTE_MAX_BYTES {
        let problem = format!(
            "{} bytes are too long, {COOKIE_ATTRIBUTE_MAX_BYTES} are the most; take a shorter one",
            value.len()
        );
        return Err(ConfigError::new(setting, problem));
    }
    Ok(())
}

/// RFC 9110 §5.6.2: tchar.
const fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || matches!(character, '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~')
}

#[cfg(test)]
mod prefix_tests {
    use super::*;

    #[test]
    fn each_prefix_is_taken_with_the_attributes_that_it_promises() {
        for name in ["__Secure-s", "__Host-s", "__Http-s", "__Host-Http-s"] {
            assert_eq!(named(name).check(), Ok(()), "{name}");
        }
        assert_eq!(named("__Secure-s").path("/a").domain("example.com").http_only(false).check(), Ok(()));
        assert_eq!(named("__Http-s").path("/a").domain("example.com").check(), Ok(()));
        assert_eq!(named("__Host-s").http_only(false).check(), Ok(()));
    }

    #[test]
    fn every_prefix_needs_secure() {
        for name in ["__Secure-s", "__Host-s", "__Http-s", "__Host-Http-s"] {
            refused(&named(name).secure(false), "secure", "demands `Secure`");
        }
    }

    #[test]
    fn both_http_prefixes_need_http_only() {
        for name in ["__Http-s", "__Host-Http-s"] {
            refused(&named(name).http_only(false), "http_only", "demands `HttpOnly`");
        }
    }

    #[test]
    fn both_host_prefixes_need_the_path_of_the_root() {
        for name in ["__Host-s", "__Host-Http-s"] {
            refused(&named(name).path("/admin"), "path", "demands `Path=/`");
            refused(&named(name).path("//"), "path", "demands `Path=/`");
        }
    }

    #[test]
    fn both_host_prefixes_refuse_a_domain() {
        for name in ["__Host-s", "__Host-Http-s"] {
            refused(&named(name).domain("example.com"), "domain", "demands a cookie of one host");
        }
    }

    #[test]
    fn a_prefix_in_another_case_is_refused() {
        for name in
            ["__host-s", "__HOST-s", "__secure-s", "__http-s", "__host-http-s", "__Host-http-s", "__HOST-Http-s"]
        {
            refused(&named(name), "name", "write the prefix exactly so");
        }
    }

    #[test]
    fn a_name_that_only_resembles_a_prefix_has_no_rules() {
        for name in ["_Host-s", "__Host", "__Hosts-s", "x__Host-s", "Host-s", "__Httponly-s"] {
            assert_eq!(named(name).secure(false).http_only(false).domain("example.com").check(), Ok(()), "{name}");
        }
    }

    fn named(name: &str) -> CookieAttributes {
        CookieAttributes::new().name(name)
    }

    #[track_caller]
    fn refused(attributes: &CookieAttributes, setting: &str, problem: &str) {
        let error = attributes.check().unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}

#[cfg(test)]
mod rules_tests {
    use super::*;

    #[test]
    fn the_defaults_pass() {
        assert_eq!(CookieAttributes::new().check(), Ok(()));
    }

    #[test]
    fn a_name_is_not_empty() {
        refused(&named(""), "name", "a cookie has a name");
    }

    #[test]
    fn a_name_has_256_bytes_at_most() {
        assert_eq!(named(&"n".repeat(256)).check(), Ok(()));
        refused(&named(&"n".repeat(257)), "name", "257 bytes are too long, 256 are the most");
    }

    #[test]
    fn a_name_takes_every_token_character() {
        assert_eq!(named("!#$%&'*+-.^_`|~09azAZ").check(), Ok(()));
    }

    #[test]
    fn a_name_takes_no_character_beyond_a_token() {
        for character in "\0\t\r\n \x7f\"(),/:;<=>?@[\\]{}é\u{fe}".chars() {
            refused(&named(&format!("a{character}b")), "name", &format!("the character {character:?}"));
        }
    }

    #[test]
    fn same_site_none_needs_secure() {
        let attributes = named("session").same_site(SameSite::None);
        assert_eq!(attributes.check(), Ok(()));
        refused(&attributes.secure(false), "same_site", "`SameSite=None` needs `Secure`");
    }

    #[test]
    fn partitioned_needs_secure() {
        let attributes = named("session").partitioned(true);
        assert_eq!(attributes.check(), Ok(()));
        refused(&attributes.secure(false), "partitioned", "`Partitioned` needs `Secure`");
    }

    #[test]
    fn plain_http_is_possible_under_a_plain_name() {
        assert_eq!(named("session").secure(false).check(), Ok(()));
    }

    #[test]
    fn a_path_begins_with_a_slash() {
        for path in ["", "admin", " /", "*"] {
            refused(&named("session").path(path), "path", "a path begins with `/`");
        }
    }

    #[test]
    fn a_path_has_1024_bytes_at_most() {
        assert_eq!(named("session").path(format!("/{}", "p".repeat(1023))).check(), Ok(()));
        refused(&named("session").path(format!("/{}", "p".repeat(1024))), "path", "1025 bytes are too long");
    }

    #[test]
    fn a_path_takes_nothing_that_ends_the_attribute_or_never_stands_in_a_request() {
        for character in "\0\t\r\n \x7f;é\u{2028}".chars() {
            refused(&named("session").path(format!("/a{character}b")), "path", &format!("the character {character:?}"));
        }
        assert_eq!(named("session").path("/a%20b/~c,d=e").check(), Ok(()));
    }

    #[test]
    fn a_domain_is_a_host_name() {
        for domain in ["example.com", "localhost", "a-b.Example.COM", "xn--bcher-kva.example", "127.0.0.1"] {
            assert_eq!(named("session").domain(domain).check(), Ok(()), "{domain}");
        }
    }

    #[test]
    fn a_domain_takes_nothing_else() {
        for domain in [
            "",
            ".",
            ".example.com",
            "example.com.",
            "a..b",
            "exa mple.com",
            " example.com",
            "example.com;Secure",
            "example.com\r\nSet-Cookie:a",
            "bücher.example",
            "example.com:8080",
            "https://example.com",
            "a_b.example",
        ] {
            refused(&named("session").domain(domain), "domain", "is not a host name");
        }
    }

    #[test]
    fn a_domain_has_1024_bytes_at_most() {
        assert_eq!(named("session").domain("d".repeat(1024)).check(), Ok(()));
        refused(&named("session").domain("d".repeat(1025)), "domain", "1025 bytes are too long");
    }

    #[test]
    fn an_error_shows_no_control_character() {
        for attributes in [named("a\r\nb"), named("session").path("/a\r\nb"), named("session").domain("a\r\nb")] {
            let error = attributes.check().unwrap_err();
            assert!(!error.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn an_error_never_shows_what_was_given() {
        let key = "ssk1.xaes.AAAAAAAAAAA.c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
        let plain = || named("session");
        for attributes in [named(key), named(&format!("__host-{key}")), plain().path(key), plain().domain(key)] {
            let error = attributes.check().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("c2Vj"), "{error}");
        }
    }

    fn named(name: &str) -> CookieAttributes {
        CookieAttributes::new().name(name)
    }

    #[track_caller]
    fn refused(attributes: &CookieAttributes, setting: &str, problem: &str) {
        let error = attributes.check().unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
}
