//! The session cookie: its attributes, and how it is read from a request and written to a response (RFC 6265bis).
//!
//! Bytes come in, text goes out, and nothing here knows what a value means. The parser is a few lines of our own and not
//! the `cookie` crate, because it reads bytes (a neighbour's cookie may not be UTF-8, and one such cookie must not hide
//! ours), reads any number of header fields (RFC 9113 §8.2.3), never decodes and never allocates; and because the writer
//! has to know the length of a line before its value exists.

mod attributes;
pub(crate) mod cache;
mod prefix;
pub(crate) mod request;
pub(crate) mod response;
mod rules;

pub use attributes::{CookieAttributes, SameSite};

/// Without the spaces and tabs at its end: OWS, RFC 9110 §5.6.3.
fn trim_whitespace_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
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
    use super::*;

    #[test]
    fn only_spaces_and_tabs_at_the_ends_are_trimmed() {
        assert_eq!(trim_whitespace(b" \t a\tb \t"), b"a\tb");
        assert_eq!(trim_whitespace(b" \t "), b"");
        assert_eq!(trim_whitespace(b"\n\x0b\x0ca\r"), b"\n\x0b\x0ca\r");
    }
}
