//! What stands in a record's file.
//!
//! ```text
//! 0   4  magic "SSR" and the format, 1
//! 4   8  version of the record
//! 12  8  expiry in seconds since 1970
//! 20  8  length of the bytes that follow
//! 28  n  bytes
//! ```
//!
//! Numbers are big-endian. Whether the bytes are those that were written is seen when their seal is opened.

use std::io::{self, Read, Write};

use super::crash_points::{Step, reached};
use crate::clock::Timestamp;
use crate::store::Record;

const MAGIC: [u8; 4] = *b"SSR\x01";
const HEAD_LENGTH: usize = 28;

/// What a record's file says before its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) version: u64,
    pub(super) expires_at: Timestamp,
    /// Of the bytes that follow.
    length: u64,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Content<T> {
    Record(T),
    /// What is wrong with it.
    Damaged(&'static str),
}

/// Reads the head, and compares it with the length of the whole file.
pub(super) fn read_head(file: &mut impl Read, file_length: u64) -> io::Result<Content<Head>> {
    let mut bytes = [0; HEAD_LENGTH];
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Ok(Content::Damaged("shorter than the head of a record"));
        }
        result => result?,
    }
    let mut rest = bytes.as_slice();
    if next::<4>(&mut rest) != MAGIC {
        return Ok(Content::Damaged("not a record of format 1"));
    }
    let [version, expires_at, length] = std::array::from_fn(|_| u64::from_be_bytes(next(&mut rest)));
    if expires_at > Timestamp::MAX.unix_seconds() {
        return Ok(Content::Damaged("an expiry of more than 40 bits"));
    }
    if length.checked_add(HEAD_LENGTH as u64) != Some(file_length) {
        return Ok(Content::Damaged("longer or shorter than it says"));
    }
    Ok(Content::Record(Head { version, expires_at: Timestamp::from_unix_seconds(expires_at), length }))
}

/// Reads a whole record.
pub(super) fn read(file: &mut impl Read, file_length: u64) -> io::Result<Content<Record>> {
    let head = match read_head(file, file_length)? {
        Content::Record(head) => head,
        Content::Damaged(problem) => return Ok(Content::Damaged(problem)),
    };
    let mut bytes = Vec::new();
    let length = usize::try_from(head.length).ok().filter(|length| bytes.try_reserve_exact(*length).is_ok());
    if length.is_none() {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 != head.length {
        return Ok(Content::Damaged("longer or shorter than it says"));
    }
    Ok(Content::Record(Record::new(head.version, head.expires_at, bytes)))
}

/// Writes a whole record.
pub(super) fn write(file: &mut impl Write, record: &Record) -> io::Result<()> {
    let mut head = Vec::with_capacity(HEAD_LENGTH);
    head.extend_from_slice(&MAGIC);
    for number in [record.version, record.expires_at.unix_seconds(), record.bytes.len() as u64] {
        head.extend_from_slice(&number.to_be_bytes());
    }
    file.write_all(&head)?;
    reached(Step::HeadWritten);
    file.write_all(&record.bytes)
}

/// The next bytes; zeros behind the end.
fn next<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    match bytes.split_first_chunk() {
        Some((first, rest)) => {
            *bytes = rest;
            *first
        }
        None => [0; N],
    }
}
