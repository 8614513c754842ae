//! Whether a request may change something, told from its method and headers alone.
//!
//! The order of what decides is that of the strength of the proof: a token that only our pages have, then what the browser
//! says of the page that sent the request, then a token inside of the body.

/// What the guard reads of a request.
///
/// ```
/// use sealed_session::csrf::{CsrfDecision, CsrfFacts, csrf_decision};
///
/// let facts = CsrfFacts { method: "POST", sec_fetch_site: Some(b"cross-site"), ..CsrfFacts::default() };
/// assert_eq!(csrf_decision(&facts, &[]), CsrfDecision::Forbidden);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfFacts<'a> {
    /// The method, as it stands in the request.
    pub method: &'a str,
    /// `X-CSRF-Token`, or else `X-XSRF-TOKEN`.
    pub token_header: Option<&'a [u8]>,
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<&'a [u8]>,
    /// `Origin`.
    pub origin: Option<&'a [u8]>,
    /// `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// Whether `Upgrade` names `websocket`.
    pub is_websocket: bool,
}

impl CsrfFacts<'_> {
    /// Headers that scripts send a token in; the first that is present is the one of `token_header`.
    pub const TOKEN_HEADERS: [&'static str; 2] = ["x-csrf-token", "x-xsrf-token"];
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfDecision<'a> {
    /// It passes.
    Pass,
    /// It passes if this is a token of its whole session, and is answered with 403 otherwise.
    VerifyToken(&'a [u8]),
    /// It passes on to its handler, which verifies the token in the form's field.
    VerifyField,
    /// It is answered with 403.
    Forbidden,
}

/// Decides about one request. `origins` are those of the application itself, like `https://example.com`.
///
/// `GET`, `HEAD` and `OPTIONS` pass: a handler of theirs must change nothing. A WebSocket is opened with `GET` and may
/// change anything afterwards, so it is held to the page that opens it.
#[must_use]
pub fn csrf_decision<'a>(facts: &CsrfFacts<'a>, origins: &[String]) -> CsrfDecision<'a> {
    if matches!(facts.method, "GET" | "HEAD" | "OPTIONS") && !facts.is_websocket {
        return CsrfDecision::Pass;
    }
    // Security: the first that is present decides, and a later one never mends an earlier: a page that may send one header
    // could otherwise choose the weakest check.
    if let Some(token) = facts.token_header {
        return CsrfDecision::VerifyToken(token);
    }
    if let Some(site) = facts.sec_fetch_site {
        return pass_if(matches!(site, b"same-origin" | b"none"));
    }
    if let Some(origin) = facts.origin {
        // `null` is the origin of sandboxed pages of anybody's: never ours.
        return pass_if(origin != b"null" && origins.iter().any(|ours| ours.as_bytes() == origin));
    }
    if !facts.is_websocket && facts.content_type.is_some_and(is_form) {
        return CsrfDecision::VerifyField;
    }
    CsrfDecision::Forbidden
}

fn pass_if<'a>(is_ours: bool) -> CsrfDecision<'a> {
    if is_ours { CsrfDecision::Pass } else { CsrfDecision::Forbidden }
}

/// The types of a form that can carry a field.
fn is_form(content_type: &[u8]) -> bool {
    is_urlencoded(content_type) || is_of_type(content_type, b"multipart/form-data")
}

/// The type of a form whose fields an extractor reads.
pub(crate) fn is_urlencoded(content_type: &[u8]) -> bool {
    is_of_type(content_type, b"application/x-www-form-urlencoded")
}

/// RFC 9110 §8.3.1: type and subtype in any case, parameters after a semicolon.
fn is_of_type(content_type: &[u8], media_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(media_type)
}

#[cfg(test)]
mod tests {
    use super::CsrfDecision::{Forbidden, Pass, VerifyField, VerifyToken};
    use super::*;

    const FORM: Option<&[u8]> = Some(b"application/x-www-form-urlencoded; charset=utf-8");

    fn decide(facts: CsrfFacts<'static>) -> CsrfDecision<'static> {
        csrf_decision(&facts, &["https://example.com".to_owned(), "http://localhost:3011".to_owned()])
    }

    fn post() -> CsrfFacts<'static> {
        CsrfFacts { method: "POST", ..CsrfFacts::default() }
    }

    #[test]
    fn safe_methods_pass_whatever_their_headers_say() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(decide(CsrfFacts { method, sec_fetch_site: Some(b"cross-site"), ..post() }), Pass);
        }
    }

    #[test]
    fn every_other_method_is_held_to_a_proof() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "PURGE", ""] {
            assert_eq!(decide(CsrfFacts { method, ..post() }), Forbidden, "{method}");
        }
    }

    #[test]
    fn a_token_in_a_header_decides_before_all_else() {
        for sec_fetch_site in [None, Some(b"same-origin".as_slice()), Some(b"cross-site")] {
            let facts =
                CsrfFacts { token_header: Some(b"t"), sec_fetch_site, origin: Some(b"https://evil.example"), ..post() };
            assert_eq!(decide(facts), VerifyToken(b"t"));
        }
    }

    #[test]
    fn the_browsers_word_for_the_site_decides_before_the_origin() {
        let of = |site: &'static [u8], origin: &'static [u8]| {
            decide(CsrfFacts { sec_fetch_site: Some(site), origin: Some(origin), content_type: FORM, ..post() })
        };
        assert_eq!(of(b"same-origin", b"https://evil.example"), Pass);
        assert_eq!(of(b"none", b"null"), Pass);
        for site in [b"same-site".as_slice(), b"cross-site", b"", b"Same-Origin", b"same-origin "] {
            assert_eq!(of(site, b"https://example.com"), Forbidden);
        }
    }

    #[test]
    fn an_origin_is_ours_with_scheme_host_and_port_alone() {
        let of = |origin: &'static [u8]| decide(CsrfFacts { origin: Some(origin), content_type: FORM, ..post() });
        assert_eq!(of(b"https://example.com"), Pass);
        assert_eq!(of(b"http://localhost:3011"), Pass);
        for origin in [
            b"null".as_slice(),
            b"",
            b"http://example.com",
            b"https://example.com:444",
            b"https://example.com.evil.example",
            b"https://evil-example.com",
            b"https://sub.example.com",
            b"https://example.com/",
            b"HTTPS://EXAMPLE.COM",
            b"http://localhost",
        ] {
            assert_eq!(of(origin), Forbidden, "{}", String::from_utf8_lossy(origin));
        }
    }

    #[test]
    fn null_is_never_ours_even_if_it_is_configured() {
        let facts = CsrfFacts { origin: Some(b"null"), ..post() };
        assert_eq!(csrf_decision(&facts, &["null".to_owned()]), Forbidden);
    }

    #[test]
    fn without_any_word_of_the_browser_a_form_is_verified_by_its_field() {
        for content_type in [FORM, Some(b"multipart/form-data; boundary=x"), Some(b"Application/X-WWW-Form-Urlencoded")]
        {
            assert_eq!(decide(CsrfFacts { content_type, ..post() }), VerifyField);
        }
    }

    #[test]
    fn without_any_word_of_the_browser_everything_else_is_forbidden() {
        for content_type in [None, Some(b"application/json".as_slice()), Some(b"text/plain"), Some(b"")] {
            assert_eq!(decide(CsrfFacts { content_type, ..post() }), Forbidden);
        }
    }

    #[test]
    fn a_websocket_is_opened_by_our_own_pages_alone() {
        let open = CsrfFacts { method: "GET", is_websocket: true, ..CsrfFacts::default() };
        assert_eq!(decide(CsrfFacts { origin: Some(b"https://example.com"), ..open }), Pass);
        assert_eq!(decide(CsrfFacts { origin: Some(b"https://evil.example"), ..open }), Forbidden);
        assert_eq!(decide(CsrfFacts { sec_fetch_site: Some(b"cross-site"), ..open }), Forbidden);
        assert_eq!(decide(open), Forbidden);
        assert_eq!(decide(CsrfFacts { content_type: FORM, ..open }), Forbidden);
    }
}
