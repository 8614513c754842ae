//! The session cookie in header values: `Set-Cookie`, which is written, and `Cookie`, which is searched (RFC 6265bis §4).

use std::convert::Infallible;

use memchr::{memchr, memmem};

use super::{CookieAttributes, SameSite};
use crate::limits::{
    COOKIE_CANDIDATES_MAX, COOKIE_MAX_AGE_SECONDS, COOKIE_NAME_AND_VALUE_MAX_BYTES, MARKER_CANDIDATES_MAX,
};

const MAX_AGE: &str = "; Max-Age=";

// `Max-Age` decides wherever it is known (RFC 6265bis §5.7, and zero is in the past: §5.6.2); clients older than it read
// `Expires`. One second into 1970, because a client that keeps the time as a number may take zero for "no expiry".
const REMOVED: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:01 GMT";

impl CookieAttributes {
    /// Bytes of the `Set-Cookie` value that carries a cookie value of so many characters, without `Max-Age` (the browser's
    /// session) where `None`.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let line = "__Host-session=dmFsdWU; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7200";
    /// assert_eq!(CookieAttributes::new().set_cookie_bytes("dmFsdWU".len(), Some(7200)), line.len());
    /// ```
    #[must_use]
    pub fn set_cookie_bytes(&self, value_characters: usize, max_age_seconds: Option<u64>) -> usize {
        issued_length(self, value_characters, max_age_seconds)
    }

    /// Most characters of a value that browsers keep and whose `Set-Cookie` value, whatever its `Max-Age`, has at most so
    /// many bytes, if there is such a limit; `0` when nothing fits.
    ///
    /// ```
    /// use sealed_session::cookie::CookieAttributes;
    ///
    /// let attributes = CookieAttributes::new();
    /// assert_eq!(attributes.value_max_characters(None), 4096 - "__Host-session".len());
    /// assert_eq!(attributes.value_max_characters(Some(3072)), 2999);
    /// ```
    #[must_use]
    pub fn value_max_characters(&self, set_cookie_max_bytes: Option<usize>) -> usize {
        largest_value(self, set_cookie_max_bytes)
    }
}

/// The `Set-Cookie` value that gives the client this cookie, without `Max-Age` (the browser's session) where `None`.
///
/// `value` consists of cookie-octets (RFC 6265bis §4.1.1), as base64url does.
pub(crate) fn issue(attributes: &CookieAttributes, value: &str, max_age_seconds: Option<u64>) -> String {
    let written: Result<String, Infallible> = issue_with(attributes, value.len(), max_age_seconds, |line| {
        line.push_str(value);
        Ok(())
    });
    match written {
        Ok(line) => line,
    }
}

/// The same for a value of so many characters that is written where it belongs.
pub(crate) fn issue_with<E>(
    attributes: &CookieAttributes,
    value_characters: usize,
    max_age_seconds: Option<u64>,
    write_value: impl FnOnce(&mut String) -> Result<(), E>,
) -> Result<String, E> {
    let mut line = String::with_capacity(issued_length(attributes, value_characters, max_age_seconds));
    let parts = parts(attributes, "");
    let (name, rest) = parts.split_at(2);
    line.extend(name.iter().copied());
    write_value(&mut line)?;
    line.extend(rest.iter().copied());
    if let Some(seconds) = max_age_seconds.map(bounded) {
        line.push_str(MAX_AGE);
        push_decimal(&mut line, seconds);
    }
    Ok(line)
}

/// The `Set-Cookie` value that takes the cookie from the client.
///
/// Every attribute is the one that it was set with: `Domain`, `Path` and `Partitioned` tell which cookie is meant (RFC
/// 6265bis §5.7), and without the others the browser refuses the line: `Secure` for the prefixes, `SameSite` for a
/// response to an embedded page.
pub(crate) fn remove(attributes: &CookieAttributes) -> String {
    let mut line = String::with_capacity(issued_length(attributes, 0, None).saturating_add(REMOVED.len()));
    line.extend(parts(attributes, ""));
    line.push_str(REMOVED);
    line
}

/// Exact length in bytes of what [`issue`] returns for a value of this length.
pub(crate) fn issued_length(attributes: &CookieAttributes, value_length: usize, max_age_seconds: Option<u64>) -> usize {
    let fixed: usize = parts(attributes, "").iter().map(|part| part.len()).sum();
    let max_age = max_age_seconds.map(bounded).map_or(0, |seconds| MAX_AGE.len() + decimal_digits(seconds));
    value_length.saturating_add(fixed + max_age)
}

/// Bytes of the longest [`issue`] beside the value: the name, `=`, and the attributes with the longest `Max-Age`.
pub(crate) fn longest_overhead(attributes: &CookieAttributes) -> usize {
    issued_length(attributes, 0, Some(COOKIE_MAX_AGE_SECONDS))
}

/// Most characters of a value that browsers keep, and whose `Set-Cookie` value always stays within the limit, if there
/// is one. Zero when nothing fits.
pub(crate) fn largest_value(attributes: &CookieAttributes, inline_limit_bytes: Option<usize>) -> usize {
    // Security: the browser drops a longer cookie without a word and keeps the old one, so it must never be sent (RFC
    // 6265bis §5.6: name and value together, the `=` not counted).
    let browser = COOKIE_NAME_AND_VALUE_MAX_BYTES.saturating_sub(attributes.name.len());
    inline_limit_bytes.map_or(browser, |limit| browser.min(limit.saturating_sub(longest_overhead(attributes))))
}

/// All of the line but `Max-Age`, in its order. The length is the sum over the same parts that are written.
fn parts<'a>(attributes: &'a CookieAttributes, value: &'a str) -> [&'a str; 11] {
    let (domain_label, domain) = attributes.domain.as_deref().map_or(("", ""), |domain| ("; Domain=", domain));
    [
        &attributes.name,
        "=",
        value,
        // Always written: without it browsers take the directory of the request (RFC 6265bis §5.6.4), and the removal
        // from another directory would miss the cookie.
        "; Path=",
        &attributes.path,
        domain_label,
        domain,
        if attributes.secure { "; Secure" } else { "" },
        if attributes.http_only { "; HttpOnly" } else { "" },
        match attributes.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        },
        if attributes.partitioned { "; Partitioned" } else { "" },
    ]
}

/// RFC 6265bis §5.5: browsers cap it at 400 days; so do we, and the line has a longest form.
fn bounded(max_age_seconds: u64) -> u64 {
    max_age_seconds.min(COOKIE_MAX_AGE_SECONDS)
}

// `write!` would take longer than the rest of the line.
fn push_decimal(line: &mut String, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut begin = digits.len();
    for (position, digit) in digits.iter_mut().enumerate().rev() {
        // The remainder is one digit.
        *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or(0));
        begin = position;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line.extend(digits.iter().skip(begin).map(|digit| char::from(*digit)));
}

fn decimal_digits(number: u64) -> usize {
    std::iter::successors(Some(number), |rest| (*rest >= 10).then_some(rest / 10)).count()
}

// The session cookie in `Cookie` header values: RFC 6265bis §4.2.

/// A cookie that is named as the marker of a session which this browser has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedMarker<'a> {
    /// The hexadecimal digits of the session's public id.
    pub(crate) digits: &'a [u8; 16],
    /// The session has ended, and not only got another id.
    pub(crate) has_ended: bool,
    pub(crate) value: &'a [u8],
}

/// Behind the digits in the name of a marker whose session has ended. It has a name of its own, so that a late response to a
/// login cannot take its place.
pub(crate) const ENDED: &str = "-ended";

/// A cookie that is ours by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// The value of one that may be the session.
    Session(&'a [u8]),
    Marker(NamedMarker<'a>),
}

/// A cookie's name, ready to be looked for in every request.
pub(crate) struct CookieName(memmem::Finder<'static>);

impl CookieName {
    pub(crate) fn new(name: &str) -> Self {
        Self(memmem::Finder::new(name).into_owned())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.needle()
    }
}

/// The cookies of this name, and the markers named after it, in the order of the request: at most [`COOKIE_CANDIDATES_MAX`] and
/// [`MARKER_CANDIDATES_MAX`] of them.
///
/// `headers` are the values of the request's `Cookie` fields, one or more: HTTP/2 and 3 may split them (RFC 9113 §8.2.3).
/// Several cookies have one name when they differ in path or domain, so each is a candidate and none is trusted for its
/// place: a subdomain can put its own before ours (RFC 6265bis §8.6). Nothing is decoded, unwrapped or copied.
pub(crate) fn found<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    name: &CookieName,
) -> impl Iterator<Item = Found<'a>> {
    let (mut sessions_left, mut markers_left) = (COOKIE_CANDIDATES_MAX, MARKER_CANDIDATES_MAX);
    let mut headers = headers.into_iter();
    let mut rest: &[u8] = &[];
    let mut begins = false;
    std::iter::from_fn(move || {
        loop {
            // Security: the rest of the request is not even looked at.
            if sessions_left == 0 && markers_left == 0 {
                return None;
            }
            let Some(after) = next_named(&name.0, &mut rest, &mut begins) else {
                (rest, begins) = (headers.next()?, true);
                continue;
            };
            let marker = || {
                let (digits, after) = after.strip_prefix(b"-")?.split_first_chunk()?;
                // A neighbour's cookie whose name merely begins like ours is no marker, and does not count as one.
                if !digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                    return None;
                }
                let ended = after.strip_prefix(ENDED.as_bytes());
                let value = ended.unwrap_or(after).strip_prefix(b"=")?;
                Some(NamedMarker { digits, has_ended: ended.is_some(), value })
            };
            let (found, left) = match after.strip_prefix(b"=") {
                Some(value) => (Found::Session(value), &mut sessions_left),
                None => match marker() {
                    Some(marker) => (Found::Marker(marker), &mut markers_left),
                    None => continue,
                },
            };
            if let Some(fewer) = left.checked_sub(1) {
                *left = fewer;
                return Some(found);
            }
        }
    })
}

/// The values of those that may be the session.
#[cfg(any(test, feature = "actix-web", feature = "poem", feature = "rocket", feature = "tower"))]
pub(crate) fn candidates<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    name: &CookieName,
) -> impl Iterator<Item = &'a [u8]> {
    let sessions = found(headers, name).filter_map(|found| match found {
        Found::Session(value) => Some(value),
        Found::Marker(_) => None,
    });
    sessions.take(COOKIE_CANDIDATES_MAX)
}

/// The values under a name in pairs that were found before, which have nothing around them and a semicolon between them.
pub(crate) fn values_in<'a>(pairs: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = pairs;
    let pairs = std::iter::from_fn(move || {
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let (pair, after) = rest.split_at_checked(end).filter(|_| !rest.is_empty())?;
        rest = after.get(1..).unwrap_or_default();
        Some(pair)
    });
    pairs.filter_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// What follows the name in the next pair that begins with it, up to the end of the pair. `rest` is what is left of a header,
/// and `begins` whether a pair begins there. The name is looked for at the speed of memory: a request may carry thousands of
/// bytes of other cookies.
// Security: byte for byte. A name that is decoded, folded or trimmed on its way could pass for one with a prefix, set by
// somebody who could not set that (CVE-2020-7070, CVE-2020-8184).
fn next_named<'a>(finder: &memmem::Finder<'_>, rest: &mut &'a [u8], begins: &mut bool) -> Option<&'a [u8]> {
    loop {
        let (before, found) = rest.split_at_checked(finder.find(rest)?)?;
        let is_name = match trim_whitespace_end(before) {
            [] => *begins,
            [.., last] => *last == b';',
        };
        let after = found.get(finder.needle().len()..)?;
        *begins = false;
        if is_name {
            let (pair, next) = after.split_at_checked(memchr(b';', after).unwrap_or(after.len()))?;
            *rest = next;
            return Some(trim_whitespace_end(pair));
        }
        *rest = found.get(1..)?;
    }
}

/// Without the spaces and tabs at its end: OWS, RFC 9110 §5.6.3.
fn trim_whitespace_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cookie::Cookie;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_defaults_are_the_strictest() {
        assert_eq!(
            issue(&CookieAttributes::new(), "dmFsdWU", Some(7200)),
            "__Host-session=dmFsdWU; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7200"
        );
    }

    #[test]
    fn a_session_of_the_browser_has_no_max_age() {
        assert_eq!(
            issue(&CookieAttributes::new(), "v", None),
            "__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn every_attribute_is_written_as_set() {
        let embedded = full();
        assert_eq!(
            issue(&embedded, "v", None),
            "__Secure-id=v; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned"
        );
        let bare = CookieAttributes::new().name("id").secure(false).http_only(false).same_site(SameSite::Strict);
        assert_eq!(issue(&bare, "v", None), "id=v; Path=/; SameSite=Strict");
    }

    #[test]
    fn max_age_is_400_days_at_most() {
        let attributes = CookieAttributes::new();
        let longest = issue(&attributes, "v", Some(34_560_000));
        assert!(longest.ends_with("; Max-Age=34560000"));
        assert_eq!(issue(&attributes, "v", Some(34_560_001)), longest);
        assert_eq!(issue(&attributes, "v", Some(u64::MAX)), longest);
        assert!(issue(&attributes, "v", Some(34_559_999)).ends_with("; Max-Age=34559999"));
    }

    // A removal without `Path` (poem), or none at all (express-session before 2), leaves the user logged in.
    #[test]
    fn a_removal_carries_every_attribute_that_the_cookie_was_set_with() {
        assert_eq!(
            remove(&CookieAttributes::new()),
            "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:01 GMT"
        );
        assert_eq!(
            remove(&full()),
            "__Secure-id=; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=0; \
             Expires=Thu, 01 Jan 1970 00:00:01 GMT"
        );
    }

    #[test]
    fn name_and_value_are_4096_bytes_at_most_the_equals_sign_not_counted() {
        let attributes = CookieAttributes::new();
        assert_eq!(largest_value(&attributes, None), 4096 - "__Host-session".len());
        assert_eq!(largest_value(&attributes, Some(usize::MAX)), 4096 - "__Host-session".len());
    }

    #[test]
    fn with_a_limit_the_whole_line_fits_it_with_the_longest_max_age() {
        let attributes = full();
        let value = "v".repeat(largest_value(&attributes, Some(3072)));
        assert_eq!(issue(&attributes, &value, Some(u64::MAX)).len(), 3072);
    }

    #[test]
    fn nothing_fits_a_limit_below_the_overhead() {
        let attributes = CookieAttributes::new();
        let overhead = longest_overhead(&attributes);
        assert_eq!(largest_value(&attributes, Some(overhead + 1)), 1);
        assert_eq!(largest_value(&attributes, Some(overhead)), 0);
        assert_eq!(largest_value(&attributes, Some(0)), 0);
        assert_eq!(largest_value(&CookieAttributes::new().name("n".repeat(5000)), None), 0);
    }

    #[test]
    fn a_length_that_no_memory_holds_does_not_wrap() {
        assert_eq!(issued_length(&CookieAttributes::new(), usize::MAX, Some(1)), usize::MAX);
    }

    proptest! {
        #[test]
        fn the_length_is_known_before_the_line_and_allocated_once(
            attributes in any_attributes(), value in "[A-Za-z0-9_-]{0,200}", max_age in any_max_age(),
        ) {
            let line = issue(&attributes, &value, max_age);
            prop_assert_eq!(line.len(), issued_length(&attributes, value.len(), max_age));
            prop_assert_eq!(line.capacity(), line.len());
            let removal = remove(&attributes);
            prop_assert_eq!(removal.capacity(), removal.len());
        }

        #[test]
        fn the_overhead_bounds_every_line(
            attributes in any_attributes(), value in "[A-Za-z0-9_-]{0,200}", max_age in any_max_age(),
        ) {
            prop_assert!(issue(&attributes, &value, max_age).len() <= longest_overhead(&attributes) + value.len());
        }

        #[test]
        fn the_largest_value_fits_and_one_more_character_does_not(
            attributes in any_attributes(), limit in proptest::option::of(0_usize..6000),
        ) {
            let largest = largest_value(&attributes, limit);
            let fits = |value_length| {
                attributes.name.len() + value_length <= 4096
                    && limit.is_none_or(|limit| issued_length(&attributes, value_length, Some(u64::MAX)) <= limit)
            };
            prop_assert!(largest == 0 || fits(largest));
            prop_assert!(!fits(largest + 1));
        }

        #[test]
        fn another_implementation_reads_the_same_attributes(
            attributes in any_attributes(), value in "[A-Za-z0-9_-]{0,200}", max_age in any_max_age(),
        ) {
            let line = issue(&attributes, &value, max_age);
            let read = Cookie::parse(&line).unwrap();
            prop_assert_eq!(read.value(), &value);
            let age = max_age.map(|seconds| Duration::from_secs(seconds.min(34_560_000)).try_into().unwrap());
            prop_assert_eq!(read.max_age(), age);
            prop_assert_eq!(read.expires(), None);
            same_attributes(&read, &attributes)?;
        }

        #[test]
        fn another_implementation_reads_the_removal_of_the_same_cookie(attributes in any_attributes()) {
            let line = remove(&attributes);
            let read = Cookie::parse(&line).unwrap();
            prop_assert_eq!(read.value(), "");
            prop_assert_eq!(read.max_age().unwrap(), Duration::ZERO);
            prop_assert_eq!(read.expires_datetime().unwrap().unix_timestamp(), 1);
            same_attributes(&read, &attributes)?;
        }
    }

    fn same_attributes(read: &Cookie<'_>, attributes: &CookieAttributes) -> Result<(), TestCaseError> {
        let same_site = match attributes.same_site {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        };
        prop_assert_eq!(read.name(), &attributes.name);
        prop_assert_eq!(read.path(), Some(attributes.path.as_str()));
        prop_assert_eq!(read.domain(), attributes.domain.as_deref());
        prop_assert_eq!(read.secure().unwrap_or(false), attributes.secure);
        prop_assert_eq!(read.http_only().unwrap_or(false), attributes.http_only);
        prop_assert_eq!(read.same_site(), Some(same_site));
        prop_assert_eq!(read.partitioned().unwrap_or(false), attributes.partitioned);
        Ok(())
    }

    fn full() -> CookieAttributes {
        CookieAttributes::new()
            .name("__Secure-id")
            .path("/app")
            .domain("example.com")
            .same_site(SameSite::None)
            .partitioned(true)
    }

    fn any_max_age() -> impl Strategy<Value = Option<u64>> {
        proptest::option::of(prop_oneof![0_u64..40_000_000, any::<u64>()])
    }

    fn any_attributes() -> impl Strategy<Value = CookieAttributes> {
        let same_site = prop_oneof![Just(SameSite::Strict), Just(SameSite::Lax), Just(SameSite::None)];
        let domain = proptest::option::of("[a-z]{1,20}\\.[a-z]{2,5}");
        let switches = (any::<bool>(), any::<bool>(), any::<bool>());
        ("[A-Za-z_-]{1,40}", "/[a-z/]{0,40}", domain, same_site, switches).prop_map(
            |(name, path, domain, same_site, (secure, http_only, partitioned))| CookieAttributes {
                name,
                path,
                domain,
                secure,
                http_only,
                same_site,
                partitioned,
            },
        )
    }
}

#[cfg(test)]
mod request_tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "__Host-session";

    #[test]
    fn our_cookie_is_found_among_others() {
        assert_eq!(values(&[b"a=1; __Host-session=v; b=2"]), [b"v"]);
        assert_eq!(values(&[b"__Host-session=v"]), [b"v"]);
        assert_eq!(values(&[b"a=1;__Host-session=v"]), [b"v"]);
    }

    #[test]
    fn without_our_cookie_there_is_none() {
        for header in [&b""[..], b";", b"; ;", b"a=1", b"="] {
            assert!(values(&[header]).is_empty());
        }
        assert!(values(&[]).is_empty());
    }

    #[test]
    fn every_cookie_header_is_read_in_order() {
        let headers: [&[u8]; 4] = [b"a=1", b"__Host-session=1; b=2", b"", b"__Host-session=2"];
        assert_eq!(values(&headers), [b"1", b"2"]);
    }

    #[test]
    fn cookies_of_our_name_come_in_the_order_of_the_request() {
        assert_eq!(values(&[b"__Host-session=1; __Host-session=evil"]), [&b"1"[..], b"evil"]);
    }

    #[test]
    fn a_fifth_cookie_of_our_name_is_not_tried() {
        let header = b"__Host-session=1; __Host-session=2; __Host-session=3; __Host-session=4; __Host-session=5";
        assert_eq!(values(&[header]), [b"1", b"2", b"3", b"4"]);
    }

    #[test]
    fn no_header_is_read_after_the_fourth_cookie_of_our_name() {
        let mut taken = 0;
        let headers = std::iter::repeat_with(|| {
            taken += 1;
            &b"__Host-session=v; a=1"[..]
        });
        assert_eq!(candidates(headers.take(100), &CookieName::new(NAME)).count(), 4);
        assert_eq!(taken, 4);
    }

    #[test]
    fn a_neighbour_that_is_not_utf_8_does_not_hide_our_cookie() {
        assert_eq!(values(&[b"a=\xff\xfe; \x80; __Host-session=v; b=\xc3("]), [b"v"]);
    }

    // CVE-2020-7070, CVE-2020-8184.
    #[test]
    fn a_percent_encoded_name_is_another_name() {
        assert!(values(&[b"__%48ost-session=evil; %5f%5fHost-session=evil; __Host-session%00=evil"]).is_empty());
    }

    #[test]
    fn a_name_in_another_case_is_another_name() {
        assert!(values(&[b"__host-session=evil; __HOST-SESSION=evil; __Host-Session=evil"]).is_empty());
    }

    #[test]
    fn a_longer_or_shorter_name_is_another_name() {
        assert!(values(&[b"__Host-session2=evil; x__Host-session=evil; __Host-sessio=evil"]).is_empty());
    }

    #[test]
    fn whitespace_is_trimmed_around_the_pair_and_nowhere_else() {
        assert_eq!(values(&[b"a=1;\t __Host-session=v \t; b=2"]), [b"v"]);
        assert_eq!(values(&[b"__Host-session= v"]), [b" v"]);
        assert!(values(&[b"__Host-session =evil"]).is_empty());
        assert!(values(&[b"\n__Host-session=evil; \x0b__Host-session=evil; \xa0__Host-session=evil"]).is_empty());
    }

    #[test]
    fn the_value_is_all_after_the_first_equals_sign() {
        assert_eq!(values(&[b"__Host-session=a=b==, c"]), [b"a=b==, c"]);
        assert_eq!(values(&[b"__Host-session="]), [b""]);
    }

    #[test]
    fn quotes_are_part_of_the_value() {
        assert_eq!(values(&[b"__Host-session=\"v\""]), [b"\"v\""]);
        assert_eq!(values(&[b"a=\"; __Host-session=v; \""]), [b"v"]);
    }

    #[test]
    fn a_pair_without_an_equals_sign_is_ignored() {
        assert_eq!(values(&[b"__Host-session; __Host-session=v; session"]), [b"v"]);
    }

    proptest! {
        #[test]
        fn any_bytes_give_at_most_four_values_each_a_piece_of_a_header(
            headers in proptest::collection::vec(any_header(), 0..6),
        ) {
            let found: Vec<&[u8]> = candidates(headers.iter().map(Vec::as_slice), &CookieName::new("s")).collect();
            prop_assert!(found.len() <= COOKIE_CANDIDATES_MAX);
            for value in found {
                let is_within = |header: &Vec<u8>| {
                    let (whole, piece) = (header.as_ptr_range(), value.as_ptr_range());
                    whole.start <= piece.start && piece.end <= whole.end
                };
                prop_assert!(headers.iter().any(is_within));
                prop_assert!(!value.contains(&b';'));
            }
        }

        #[test]
        fn what_clients_send_is_found_however_it_is_split(
            cookies in proptest::collection::vec(("[st]{1,2}", "[A-Za-z0-9_=-]{0,8}", any::<bool>()), 0..20),
        ) {
            let mut headers = vec![Vec::new()];
            for (name, value, starts_a_header) in &cookies {
                if *starts_a_header {
                    headers.push(Vec::new());
                }
                let header = headers.last_mut().unwrap();
                if !header.is_empty() {
                    header.extend_from_slice(b"; ");
                }
                header.extend_from_slice(format!("{name}={value}").as_bytes());
            }
            let sent = cookies.iter().filter(|(name, ..)| name == "s").map(|(_, value, _)| value.as_bytes());
            let found: Vec<&[u8]> = candidates(headers.iter().map(Vec::as_slice), &CookieName::new("s")).collect();
            prop_assert_eq!(found, sent.take(4).collect::<Vec<_>>());
        }
    }

    /// Any bytes, and bytes that come close to our cookie.
    fn any_header() -> impl Strategy<Value = Vec<u8>> {
        let close = proptest::sample::select(b"s=; \t\"\xffx".to_vec());
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), proptest::collection::vec(close, 0..64),]
    }

    fn values<'a>(headers: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let name = CookieName::new(NAME);
        candidates(headers.iter().copied(), &name).collect()
    }
}
