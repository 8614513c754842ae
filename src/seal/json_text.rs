//! What stands in a JSON text, seen where it stands: a copy would be allocated, and not be wiped. Every text here is
//! well-formed: it has been parsed, or looked at by `shape`.

/// Whether a number stands in a JSON text that 64 bits do not hold: an integer that a reader rounds, or a number beyond the
/// floats.
pub(crate) fn has_number_beyond_64_bits(json: &[u8]) -> bool {
    Tokens::of(json).any(|token| match token {
        Token::Number(digits) if digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) => {
            !parses::<f64>(digits, |float| float.is_finite())
        }
        Token::Number(digits) => !parses::<i64>(digits, |_| true) && !parses::<u64>(digits, |_| true),
        _ => false,
    })
}

fn parses<N: std::str::FromStr>(digits: &[u8], is_good: impl FnOnce(&N) -> bool) -> bool {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).is_some_and(|number| is_good(&number))
}

/// The first name that its object has twice, between its quotes as it is written.
// Looked for without a set of names, which would have to be allocated: for each name, through the rest of its object. A
// cookie's payload is short.
pub(super) fn repeated_name(json: &[u8]) -> Option<&[u8]> {
    let mut tokens = Tokens::of(json);
    while let Some(token) = tokens.next() {
        if let Token::Name(name) = token
            && is_repeated(name, tokens.clone())
        {
            return Some(name);
        }
    }
    None
}

/// Whether the object whose tokens go on after a name has the name again.
fn is_repeated(name: &[u8], rest: Tokens<'_>) -> bool {
    let mut depth = 0_usize;
    for token in rest {
        match token {
            Token::Open => depth = depth.saturating_add(1),
            Token::Close if depth == 0 => return false,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Name(other) if depth == 0 && are_alike(name, other) => return true,
            Token::Name(_) | Token::Number(_) => {}
        }
    }
    false
}

/// Whether two names are one, however each is escaped: raw JSON is taken as it was written.
fn are_alike(left: &[u8], right: &[u8]) -> bool {
    if !left.contains(&b'\\') && !right.contains(&b'\\') {
        return left == right;
    }
    match (std::str::from_utf8(left), std::str::from_utf8(right)) {
        (Ok(left), Ok(right)) => units(left).eq(units(right)),
        _ => false,
    }
}

/// A text's UTF-16, which is what JSON's escapes are written in.
fn units(escaped: &str) -> impl Iterator<Item = u16> {
    let mut units = escaped.encode_utf16();
    std::iter::from_fn(move || match units.next()? {
        BACKSLASH => match u8::try_from(units.next()?).ok()? {
            b'b' => Some(0x08),
            b'f' => Some(0x0c),
            b'n' => Some(0x0a),
            b'r' => Some(0x0d),
            b't' => Some(0x09),
            b'u' => (0..4).try_fold(0_u16, |unit, _| {
                let digit = char::from(u8::try_from(units.next()?).ok()?).to_digit(16)?;
                unit.checked_mul(16)?.checked_add(u16::try_from(digit).ok()?)
            }),
            other => Some(u16::from(other)),
        },
        unit => Some(unit),
    })
}

const BACKSLASH: u16 = 0x5c;

/// A part of a JSON text; the values that are no numbers are left out.
enum Token<'t> {
    /// Of an array or an object.
    Open,
    Close,
    /// The name of a member, between its quotes.
    Name(&'t [u8]),
    Number(&'t [u8]),
}

#[derive(Clone)]
struct Tokens<'t> {
    rest: &'t [u8],
}

impl<'t> Tokens<'t> {
    const fn of(json: &'t [u8]) -> Self {
        Self { rest: json }
    }

    /// Takes what stands before the first byte of this kind.
    fn take_until(&mut self, is_end: impl Fn(u8) -> bool) -> &'t [u8] {
        let length = self.rest.iter().position(|byte| is_end(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes a string, its opening quote taken already, and its closing one.
    fn take_string(&mut self) -> &'t [u8] {
        let mut is_escaped = false;
        let length = self.rest.iter().position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        });
        let (taken, rest) = length.and_then(|length| self.rest.split_at_checked(length)).unwrap_or((self.rest, &[]));
        self.rest = rest.split_first().map_or(rest, |(_, rest)| rest);
        taken
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        loop {
            let here = self.rest;
            let (first, rest) = here.split_first()?;
            self.rest = rest;
            match first {
                b'{' | b'[' => return Some(Token::Open),
                b'}' | b']' => return Some(Token::Close),
                b'"' => {
                    let text = self.take_string();
                    if self.rest.trim_ascii_start().starts_with(b":") {
                        return Some(Token::Name(text));
                    }
                }
                b'-' | b'0'..=b'9' => {
                    self.rest = here;
                    let is_of_number = |byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                    return Some(Token::Number(self.take_until(|byte| !is_of_number(byte))));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_64_bits_are_found_in_text() {
        for json in [
            "{\"a\":18446744073709551616}",
            "[1,-9223372036854775809]",
            "{\"\\\"\":[100000000000000000000 ]}",
            "[1e400]",
        ] {
            assert!(has_number_beyond_64_bits(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_beyond_64_bits_is_left_alone() {
        for json in [
            "{\"a\":18446744073709551615}",
            "[-9223372036854775808, -0, 0]",
            "[18446744073709551616.0, 1e300, 18446744073709551616E+2]",
            "{\"18446744073709551616\":\"18446744073709551616\"}",
            "{\"\\\"18446744073709551616\":\"\\\\\"}",
        ] {
            assert!(!has_number_beyond_64_bits(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn a_name_is_repeated_in_its_own_object_alone() {
        for (json, expected) in [
            (r#"{"a":1,"b":[{"a":1},{"a":[]}],"a":2}"#, Some("a")),
            (r#"{"b":{"c\"":{"a":1},"d":"x","c\"" : 2}}"#, Some(r#"c\""#)),
            (r#"[{"a\\":"a","a\\":1}]"#, Some(r"a\\")),
            (r#"{"":1,"":2}"#, Some("")),
            (r#"{"a/\n":1,"\u0061\/\u000A":2}"#, Some(r"a/\n")),
            (r#"{"\ud83d\ude00":1,"😀":2}"#, Some(r"\ud83d\ude00")),
            (r#"{"\u0061":1,"u0061":2,"\\u0061":3,"\"":4,"\\":5}"#, None),
            (r#"{"a":{"a":["a","a",{"a":"\"a\":1"}]},"b":"a","A":{}}"#, None),
            (r#"{"a":"}","b":"\\","c":1}"#, None),
            ("{}", None),
        ] {
            assert_eq!(repeated_name(json.as_bytes()), expected.map(str::as_bytes), "{json}");
        }
    }

    #[test]
    fn no_text_makes_it_go_on_for_ever_or_panic() {
        for text in ["\"", "\"\\", "{\"a\"", "-", "1e", "{{{", "}}", "\"a\" :", "é\"é"] {
            assert!(!has_number_beyond_64_bits(text.as_bytes()) || matches!(text, "-" | "1e"), "{text}");
            assert_eq!(repeated_name(text.as_bytes()), None, "{text}");
        }
    }
}
