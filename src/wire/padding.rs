//! Padding (ISO/IEC 7816-4): one byte `0x80`, then zeros. Wire format, section 3.

use crate::error::Reason;

const MARKER: u8 = 0x80;

/// Length of a plaintext of `content` bytes with its padding: the next multiple of `bucket`, or `largest` when that is
/// smaller, so that the lengths in the last bucket are equal too. `None` when content and marker are over `largest`.
pub(crate) fn padded_length(content: usize, bucket: usize, largest: usize) -> Option<usize> {
    let least = content.checked_add(1)?;
    if least > largest {
        return None;
    }
    Some(least.checked_next_multiple_of(bucket.max(1)).unwrap_or(largest).min(largest))
}

/// Writes the padding into what is left behind the content.
pub(crate) fn fill(rest: &mut [u8]) {
    rest.fill(0);
    if let Some(first) = rest.first_mut() {
        *first = MARKER;
    }
}

/// The content of a padded plaintext. Read only after authentication, so its time tells an attacker nothing.
pub(crate) fn strip(padded: &[u8]) -> Result<&[u8], Reason> {
    let marker = padded.iter().rposition(|byte| *byte != 0).ok_or(Reason::Malformed)?;
    match padded.split_at_checked(marker) {
        Some((content, [MARKER, ..])) => Ok(content),
        _ => Err(Reason::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_go_up_to_the_next_bucket_and_a_full_bucket_costs_another() {
        for (content, padded) in [(0, 32), (31, 32), (32, 64), (63, 64)] {
            assert_eq!(padded_length(content, 32, 1000), Some(padded));
        }
    }

    #[test]
    fn a_bucket_of_one_costs_the_marker_alone() {
        assert_eq!(padded_length(10, 1, 1000), Some(11));
    }

    #[test]
    fn the_last_bucket_ends_at_the_largest_length() {
        assert_eq!(padded_length(97, 32, 100), Some(100));
        assert_eq!(padded_length(99, 32, 100), Some(100));
        assert_eq!(padded_length(100, 32, 100), None);
        assert_eq!(padded_length(usize::MAX, 32, usize::MAX), None);
    }

    #[test]
    fn what_was_filled_is_stripped() {
        for content in [b"".as_slice(), b"a", b"\x80", b"\x00", b"a\x80\x00"] {
            for room in 1..5 {
                let mut padded = content.to_vec();
                padded.resize(content.len() + room, 0xff);
                fill(&mut padded[content.len()..]);
                assert_eq!(strip(&padded), Ok(content));
            }
        }
    }

    #[test]
    fn a_plaintext_without_the_marker_is_malformed() {
        for padded in [b"".as_slice(), b"\x00", b"a", b"{}\x00\x00", b"\x80\x01", b"\x81\x00"] {
            assert_eq!(strip(padded), Err(Reason::Malformed), "{padded:?}");
        }
    }
}
