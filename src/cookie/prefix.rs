//! Cookie name prefixes: RFC 6265bis §4.1.3.

use super::CookieAttributes;
use crate::error::ConfigError;

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

#[cfg(test)]
mod tests {
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
