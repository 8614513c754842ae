//! What a response with a session says to caches: RFC 9111 §5.2, RFC 9110 §12.5.5.

use std::borrow::Cow;

/// For a response about which the application said nothing, or nothing that can be read.
const DEFAULT: &str = "private, no-cache";

const PRIVATE: &str = "private";

/// What to do about a response's `Cache-Control`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CacheDecision {
    /// No shared cache stores the response as it is.
    Keep,
    /// This value takes the place of all that there are.
    Replace(Cow<'static, str>),
}

/// Keeps a response with a session out of shared caches, and changes as little as that takes.
///
/// `values` are those of the response's `Cache-Control` fields, none or any number.
// Security: `Vary: Cookie` alone is not enough, for many shared caches ignore it.
pub(crate) fn cache_control<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> CacheDecision {
    let mut kept = String::new();
    let mut is_readable = true;
    let mut any_directive = false;
    for value in values {
        let mut rest = value;
        while !rest.is_empty() {
            // An open quote swallows all that follows, also the next field when the two are joined.
            let Some((directive, after)) = split_directive(rest) else {
                return CacheDecision::Replace(Cow::Borrowed(DEFAULT));
            };
            rest = after;
            // RFC 9110 §5.6.1: empty elements of a list do not count.
            if directive.is_empty() {
                continue;
            }
            any_directive = true;
            match Effect::of(directive) {
                Effect::KeepsOut => return CacheDecision::Keep,
                Effect::LetsIn => {}
                Effect::Other => match printable(directive) {
                    Some(text) => kept.extend([", ", text]),
                    None => is_readable = false,
                },
            }
        }
    }
    CacheDecision::Replace(match kept.as_str() {
        _ if !any_directive || !is_readable => Cow::Borrowed(DEFAULT),
        // RFC 9111 §5.2.2.7. It comes first: a cache that reads one directive of a kind and no more reads this one.
        "" => Cow::Borrowed(PRIVATE),
        kept => Cow::Owned([PRIVATE, kept].concat()),
    })
}

/// Whether these `Vary` values name `Cookie` already, or `*`, which is more: RFC 9110 §12.5.5.
///
/// Without it a cache may answer one user with another's page (CVE-2023-30861, CVE-2026-27205).
pub(crate) fn varies_by_cookie<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> bool {
    values
        .into_iter()
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(trim_whitespace)
        .any(|name| name == b"*" || name.eq_ignore_ascii_case(b"cookie"))
}

/// What a directive means for a shared cache.
enum Effect {
    /// It stores nothing of the response.
    KeepsOut,
    /// It may store the response, or a part.
    LetsIn,
    Other,
}

impl Effect {
    fn of(directive: &[u8]) -> Self {
        let mut parts = directive.splitn(2, |byte| *byte == b'=');
        let name = parts.next().map_or(directive, trim_whitespace);
        let is_qualified = parts.next().is_some();
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        if is(b"private") {
            // RFC 9111 §5.2.2.7: `private="Set-Cookie"` keeps out that field alone. Unqualified it says all of that and
            // more, so it takes the other's place: a cache that reads the last of two directives must not undo it.
            if is_qualified { Self::LetsIn } else { Self::KeepsOut }
        } else if is(b"no-store") && !is_qualified {
            Self::KeepsOut
        } else if is(b"public") || is(b"s-maxage") {
            Self::LetsIn
        } else {
            Self::Other
        }
    }
}

/// The first directive, trimmed, and what follows its comma; commas in quoted strings do not count (RFC 9110 §5.6.4).
/// `None` when a quoted string has no end.
fn split_directive(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let comma = list.iter().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => return *byte == b',' && !is_quoted,
        }
        false
    });
    let (directive, after) = match comma.and_then(|position| list.split_at_checked(position)) {
        Some((directive, [_, after @ ..])) => (directive, after),
        _ => (list, &[][..]),
    };
    (!is_quoted).then(|| (trim_whitespace(directive), after))
}

/// RFC 9110 §5.5: a field's visible ASCII, spaces and tabs. Anything else does not become text.
fn printable(directive: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(directive).ok()?;
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')).then_some(text)
}

/// The same at both ends.
fn trim_whitespace(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn without_a_directive_the_response_is_private_and_revalidated() {
        assert_eq!(cache_control([]), replace("private, no-cache"));
        assert_eq!(decide(&[b""]), replace("private, no-cache"));
        assert_eq!(decide(&[b" , \t,", b","]), replace("private, no-cache"));
    }

    #[test]
    fn an_unqualified_private_or_no_store_is_kept() {
        for value in
            ["private", "no-store", "max-age=60, PRIVATE", "No-Store,public", "\tprivate , max-age=1", "a,,no-store"]
        {
            assert_eq!(decide(&[value.as_bytes()]), CacheDecision::Keep, "{value}");
        }
        assert_eq!(decide(&[b"max-age=60", b"private"]), CacheDecision::Keep);
        assert_eq!(decide(&[b"ext=\xff, no-store"]), CacheDecision::Keep);
    }

    #[test]
    fn private_is_added_and_the_other_directives_stay_as_written() {
        assert_eq!(decide(&[b"max-age=60"]), replace("private, max-age=60"));
        assert_eq!(
            decide(&[b"No-Cache , max-age=60", b"must-revalidate,ext=\"a, b\""]),
            replace("private, No-Cache, max-age=60, must-revalidate, ext=\"a, b\"")
        );
    }

    #[test]
    fn public_and_s_maxage_go() {
        for value in [
            "public, max-age=60",
            "max-age=60, S-MaxAge=600",
            "s-maxage=\"1,2\",PUBLIC,max-age=60",
            "s-maxage, public=x, max-age=60",
        ] {
            assert_eq!(decide(&[value.as_bytes()]), replace("private, max-age=60"), "{value}");
        }
        assert_eq!(decide(&[b"public"]), replace("private"));
    }

    #[test]
    fn a_qualified_private_gives_way_to_an_unqualified_one() {
        assert_eq!(decide(&[b"private=\"Set-Cookie\""]), replace("private"));
        assert_eq!(decide(&[b"private=\"Set-Cookie, Age\", max-age=60"]), replace("private, max-age=60"));
        assert_eq!(decide(&[b"private="]), replace("private"));
    }

    #[test]
    fn a_no_store_with_an_argument_is_not_relied_upon() {
        assert_eq!(decide(&[b"no-store=x"]), replace("private, no-store=x"));
    }

    #[test]
    fn a_directive_inside_a_quoted_string_does_not_count() {
        assert_eq!(decide(&[b"ext=\"a, private\""]), replace("private, ext=\"a, private\""));
        assert_eq!(decide(&[b"ext=\"a\\\", private\""]), replace("private, ext=\"a\\\", private\""));
        assert_eq!(decide(&[b"ext=\"public, s-maxage=1\""]), replace("private, ext=\"public, s-maxage=1\""));
        assert_eq!(decide(&[b"ext=\"a\\\\\", private"]), CacheDecision::Keep);
    }

    #[test]
    fn a_name_that_only_begins_like_a_directive_is_another() {
        assert_eq!(decide(&[b"privately, no-stored"]), replace("private, privately, no-stored"));
    }

    #[test]
    fn what_cannot_be_read_is_replaced() {
        for value in
            [&b"max-age=60, ext=\xff"[..], b"ext=\0", b"ext=\x7f", b"ext=\"open", b"ext=\"open, private", b"\"\\"]
        {
            assert_eq!(decide(&[value]), replace("private, no-cache"));
        }
        assert_eq!(decide(&[b"ext=\"open", b"private"]), replace("private, no-cache"));
    }

    #[test]
    fn vary_names_cookie_in_any_case_and_place() {
        for value in ["Cookie", "cookie", "Accept, COOKIE", "Accept ,\tCookie ,Origin", "*", "Accept, *"] {
            assert!(varies_by_cookie([value.as_bytes()]), "{value}");
        }
        assert!(varies_by_cookie([&b"Accept"[..], b"Cookie"]));
    }

    #[test]
    fn vary_without_cookie_does_not() {
        for value in ["", ",", "Accept", "Set-Cookie", "Cookie2", "X-Cookie", "Accept Cookie", "\"Cookie\""] {
            assert!(!varies_by_cookie([value.as_bytes()]), "{value}");
        }
        assert!(!varies_by_cookie([]));
    }

    proptest! {
        #[test]
        fn any_value_becomes_one_that_no_shared_cache_stores(
            values in proptest::collection::vec(any_value(), 0..4),
        ) {
            if let CacheDecision::Replace(value) = cache_control(values.iter().map(Vec::as_slice)) {
                prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
                prop_assert_eq!(decide(&[value.as_bytes()]), CacheDecision::Keep);
                let mut rest = value.as_bytes();
                while !rest.is_empty() {
                    let (directive, after) = split_directive(rest).unwrap();
                    prop_assert!(!matches!(Effect::of(directive), Effect::LetsIn));
                    rest = after;
                }
            }
        }
    }

    /// Any bytes, and what comes close to directives.
    fn any_value() -> impl Strategy<Value = Vec<u8>> {
        let pieces =
            ["private", "Private=", "public", "no-store", "s-maxage=1", ",", ", ", "\"", "\\", "=", "a", "\u{fe}"];
        let close = proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..12);
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..32),
            close.prop_map(|pieces| pieces.concat().into_bytes()),
        ]
    }

    fn decide(values: &[&[u8]]) -> CacheDecision {
        cache_control(values.iter().copied())
    }

    fn replace(value: &str) -> CacheDecision {
        CacheDecision::Replace(Cow::Owned(value.to_owned()))
    }

    #[test]
    fn only_spaces_and_tabs_at_the_ends_are_trimmed() {
        assert_eq!(trim_whitespace(b" \t a\tb \t"), b"a\tb");
        assert_eq!(trim_whitespace(b" \t "), b"");
        assert_eq!(trim_whitespace(b"\n\x0b\x0ca\r"), b"\n\x0b\x0ca\r");
    }
}
