//! What the command reads: bounded, and wiped when it is dropped.

use std::io::{self, Read};

use sealed_session::SessionError;
use sealed_session::json::object_from_json;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Everything that stands on standard input, or `None` when that is more than so many bytes.
pub(crate) fn standard_input(most_bytes: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    read(io::stdin().lock(), most_bytes)
        .map_err(|error| Failure::Usage(format!("standard input cannot be read: {error}")))
}

/// Everything that a reader gives, or `None` when that is more than so many bytes.
pub(crate) fn read(reader: impl Read, most_bytes: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let room = most_bytes.saturating_add(1);
    // Security: all the room at once, because a vector that grows leaves copies of what it held behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // A `usize` always fits in a `u64` on the platforms that Rust's standard library knows.
    reader.take(u64::try_from(room).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most_bytes).then_some(bytes))
}

/// The JSON object in what was read.
///
/// # Errors
///
/// What is wrong with it, and where two members have one name; else nothing of the text.
pub(crate) fn object(json: &[u8]) -> Result<Map<String, Value>, String> {
    object_from_json(json).map_err(|error| match error {
        SessionError::Value { path, problem } if path.is_empty() => problem,
        // Quoted with its control characters escaped: a name of the input ends no line of the message.
        SessionError::Value { path, problem } => format!("{path:?}: {problem}"),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_long_as_allowed_is_read_and_one_byte_more_is_not() {
        assert_eq!(read(&[7; 5][..], 5).unwrap().unwrap().as_slice(), [7; 5]);
        assert!(read(&[7; 6][..], 5).unwrap().is_none());
    }

    #[test]
    fn input_without_an_end_is_left_at_the_bound() {
        assert!(read(io::repeat(7), 1 << 20).unwrap().is_none());
    }

    #[test]
    fn the_buffer_never_grows() {
        for length in [0, 1, 4096, 4097] {
            let bytes = read(io::repeat(7).take(length), 4097).unwrap().unwrap();
            assert_eq!(bytes.capacity(), 4098, "{length}");
        }
    }
}
