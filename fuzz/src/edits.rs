//! Scripts of edits, so that the fuzzer changes an envelope field by field instead of finding base64url by chance.
//!
//! ```text
//! a script is any number of steps of four bytes:
//! offset 0           1         3
//!        ├───────────┼─────────┼───────┤
//!        operation   position  value
//! ```

/// Bytes of a step.
const STEP: usize = 4;

/// Offsets at which the fields of an envelope begin: wire format, section 2.
const FIELDS: [usize; 4] = [0, 1, 9, 33];
const TAG: usize = 16;

/// Runs a script over `bytes`; `others` are what a step may splice from.
pub fn run(script: &[u8], bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    for step in script.chunks_exact(STEP).take(64) {
        let [operation, high, low, value] = [step[0], step[1], step[2], step[3]];
        let wanted = usize::from(u16::from_be_bytes([high, low]));
        let at = if bytes.is_empty() { 0 } else { wanted % bytes.len() };
        let Some(other) = others.get(usize::from(value) % others.len().max(1)) else { return };
        match operation % 8 {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (value % 8);
                }
            }
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            2 => bytes.insert(at, value),
            3 => drop(bytes.drain(at..bytes.len().min(at + 1 + usize::from(value)))),
            4 => bytes.truncate(at),
            // The head of this one, the rest of another: of the same length when `at` is the same in both.
            5 => {
                bytes.truncate(at);
                bytes.extend_from_slice(other.get(at..).unwrap_or_default());
            }
            6 => transplant_field(wanted, bytes, other),
            _ => transplant_tag(bytes, other),
        }
        // A cookie has 4096 bytes at most; a little more is enough to see it refused.
        bytes.truncate(5000);
    }
}

/// Puts the version, key id, nonce or everything after it of another envelope into this one.
fn transplant_field(wanted: usize, bytes: &mut Vec<u8>, other: &[u8]) {
    let field = wanted % FIELDS.len();
    let start = FIELDS[field].min(bytes.len());
    let end = FIELDS.get(field + 1).copied().unwrap_or(bytes.len()).min(bytes.len());
    let donor_end = FIELDS.get(field + 1).copied().unwrap_or(other.len()).min(other.len());
    let donor = other.get(FIELDS[field]..donor_end).unwrap_or_default();
    drop(bytes.splice(start..end, donor.iter().copied()));
}

fn transplant_tag(bytes: &mut Vec<u8>, other: &[u8]) {
    bytes.truncate(bytes.len().saturating_sub(TAG));
    bytes.extend_from_slice(&other[other.len().saturating_sub(TAG)..]);
}
