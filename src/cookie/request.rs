//! The session cookie in `Cookie` header values: RFC 6265bis §4.2.

use memchr::{memchr, memmem};

use crate::limits::{COOKIE_CANDIDATES_MAX, MARKER_CANDIDATES_MAX};

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

/// The cookies of this name, and the markers named after it, in the order of the request: at most [`COOKIE_CANDIDATES_MAX`] and
/// [`MARKER_CANDIDATES_MAX`] of them.
///
/// `headers` are the values of the request's `Cookie` fields, one or more: HTTP/2 and 3 may split them (RFC 9113 §8.2.3).
/// Several cookies have one name when they differ in path or domain, so each is a candidate and none is trusted for its
/// place: a subdomain can put its own before ours (RFC 6265bis §8.6). Nothing is decoded, unwrapped or copied.
pub(crate) fn found<'a>(headers: impl IntoIterator<Item = &'a [u8]>, name: &str) -> impl Iterator<Item = Found<'a>> {
    let finder = memmem::Finder::new(name);
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
            let Some(after) = next_named(&finder, &mut rest, &mut begins) else {
                (rest, begins) = (headers.next()?, true);
                continue;
            };
            let marker = || {
                let (digits, after) = after.strip_prefix(b"-")?.split_first_chunk()?;
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
pub(crate) fn candidates<'a>(
    headers: impl IntoIterator<Item = &'a [u8]>,
    name: &str,
) -> impl Iterator<Item = &'a [u8]> {
    let sessions = found(headers, name).filter_map(|found| match found {
        Found::Session(value) => Some(value),
        Found::Marker(_) => None,
    });
    sessions.take(COOKIE_CANDIDATES_MAX)
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
        assert_eq!(candidates(headers.take(100), NAME).count(), 4);
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
            let found: Vec<&[u8]> = candidates(headers.iter().map(Vec::as_slice), "s").collect();
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
            let found: Vec<&[u8]> = candidates(headers.iter().map(Vec::as_slice), "s").collect();
            prop_assert_eq!(found, sent.take(4).collect::<Vec<_>>());
        }
    }

    /// Any bytes, and bytes that come close to our cookie.
    fn any_header() -> impl Strategy<Value = Vec<u8>> {
        let close = proptest::sample::select(b"s=; \t\"\xffx".to_vec());
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), proptest::collection::vec(close, 0..64),]
    }

    fn values<'a>(headers: &[&'a [u8]]) -> Vec<&'a [u8]> {
        candidates(headers.iter().copied(), NAME).collect()
    }
}
