//! What a cookie's attributes must keep to, so that no browser refuses the cookie or reads it otherwise than we do.

use super::prefix::check_prefix;
use super::{CookieAttributes, SameSite};
use crate::error::ConfigError;
use crate::limits::{COOKIE_ATTRIBUTE_MAX_BYTES, COOKIE_NAME_MAX_BYTES};

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
mod tests {
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
