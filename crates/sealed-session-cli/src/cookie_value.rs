//! The cookie value on standard input: alone, or in a line that was copied from a browser or a log.

use std::str;

use sealed_session::Reason;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input;

/// A cookie value has 4096 characters at most; the rest is room for the other cookies of its line.
const INPUT_MAX_BYTES: usize = 64 * 1024;

/// Standard input as a whole, in which [`find`] looks.
pub(crate) fn read() -> Result<Zeroizing<String>, Failure> {
    let input = input::standard_input(INPUT_MAX_BYTES)?.ok_or(Failure::Refused(Reason::Malformed))?;
    let text = str::from_utf8(&input).map_err(|_| Failure::Refused(Reason::Malformed))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The value of this cookie in a `Cookie` or `Set-Cookie` line, or in a part of one; text without a `=` is the value itself,
/// because no value has one.
pub(crate) fn find<'a>(text: &'a str, cookie_name: &str) -> Result<&'a str, Failure> {
    let text = text.trim_ascii();
    if !text.contains('=') {
        return Ok(text);
    }
    let header = text.split_once(':').filter(|(name, _)| {
        ["cookie", "set-cookie"].iter().any(|header| name.trim_ascii().eq_ignore_ascii_case(header))
    });
    let pairs = header.map_or(text, |(_, pairs)| pairs);
    pairs
        .split(';')
        .filter_map(|pair| pair.trim_ascii().split_once('='))
        .find(|(name, _)| *name == cookie_name)
        .map(|(_, value)| value)
        .ok_or(Failure::Refused(Reason::Absent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_found_alone_and_in_every_line_that_carries_it() {
        for line in [
            "AbC-_",
            " AbC-_\n",
            "s=AbC-_",
            "Cookie: s=AbC-_",
            "cookie: theme=dark; s=AbC-_; t=a=b\r\n",
            "Set-Cookie: s=AbC-_; Path=/; Max-Age=5",
            "s=AbC-_; Path=/",
        ] {
            assert_eq!(find(line, "s").unwrap(), "AbC-_", "{line}");
        }
    }

    #[test]
    fn a_line_of_other_cookies_has_none_of_ours() {
        for line in ["S=AbC", "Cookie: ss=AbC", "Cookie: theme=dark; xs=1", "="] {
            assert_eq!(find(line, "s").unwrap_err().to_string(), "absent\n", "{line}");
        }
    }
}
