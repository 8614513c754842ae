//! The text form of a ring: wire format, section 7.
//!
//! ```text
//! # comment
//! KEY [seal-from=TIME] [seal-until=TIME] [open-until=TIME] [open-only]
//! not-before=TIME
//! KEY KEY,KEY                                  a list: nothing in the ring has a time; the first key seals
//! ```

pub(super) use super::marks::OPEN_ONLY;
use super::{Key, KeyRing, RingEntry, RingMarks, text};
use crate::clock::Timestamp;
use crate::error::KeyError;

const TIME: &str = "a time as `2026-11-23T09:00:00Z`: RFC 3339, whole seconds";
const WORD: &str = "a key (`ssk1.`, `hex:`, `base64:` or `base64url:`), `seal-from=`, `seal-until=`, `open-until=`, `open-only` \
                    or `not-before=`";

/// What one line says.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The keys, each with the marks behind it.
    pub(super) entries: Vec<RingEntry>,
    pub(super) not_before: Option<Timestamp>,
}

/// The lines of a ring's text, as they act: what a plain list's order says is marked.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, KeyError> {
    let mut lines = Vec::<Line>::new();
    for (number, content) in (1..).zip(text.lines()) {
        let line = parse_line(number, content)?;
        for (position, entry) in line.entries.iter().enumerate() {
            let mut earlier = entries(&lines).chain(line.entries.iter().take(position));
            if earlier.any(|earlier| earlier.key_id() == entry.key_id()) {
                let source = KeyError::DuplicateKeyId { key_id: entry.key_id().to_string() };
                return Err(KeyError::RingEntry { line: number, source: Box::new(source) });
            }
        }
        if line.not_before.is_some() && not_before(&lines).is_some() {
            return Err(syntax(number, "`not-before` stands once in a ring"));
        }
        lines.push(line);
    }
    if is_plain_list(entries(&lines)) {
        let sealers = lines.iter_mut().flat_map(|line| &mut line.entries).filter(|entry| !entry.marks.open_only);
        sealers.skip(1).for_each(|entry| entry.marks.open_only = true);
    }
    Ok(lines)
}

/// The ring that these lines make.
pub(super) fn ring<'a>(lines: impl IntoIterator<Item = &'a Line, IntoIter: Clone>) -> Result<KeyRing, KeyError> {
    let lines = lines.into_iter();
    let ring = KeyRing::from_entries(lines.clone().flat_map(|line| line.entries.iter().cloned()))?;
    Ok(match not_before(lines) {
        Some(instant) => ring.with_not_before(instant),
        None => ring,
    })
}

fn entries(lines: &[Line]) -> impl Iterator<Item = &RingEntry> {
    lines.iter().flat_map(|line| &line.entries)
}

fn not_before<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Option<Timestamp> {
    lines.into_iter().find_map(|line| line.not_before)
}

/// Whether these entries are a plain list, in which the first key that may seal does, and the rest only open.
///
/// A `not-before` makes it no less of one: it is the whole ring's, and says nothing of which key seals.
pub(super) fn is_plain_list<'a>(mut entries: impl Iterator<Item = &'a RingEntry>) -> bool {
    !entries.any(|entry| entry.marks.name_a_time())
}

fn parse_line(number: usize, content: &str) -> Result<Line, KeyError> {
    let mut line = Line::default();
    for word in words(content) {
        if text::looks_like_a_key(word) {
            if line.not_before.is_some() {
                return Err(syntax(number, NOT_BEFORE));
            }
            let key = Key::from_text(word)
                .map_err(|source| KeyError::RingEntry { line: number, source: Box::new(source) })?;
            line.entries.push(RingEntry::new(key));
        } else if let Some(time) = word.strip_prefix("not-before=") {
            let instant = Timestamp::from_rfc3339(time).ok_or_else(|| syntax(number, TIME))?;
            // Security: behind a key it would read as that key's beginning, and end every session instead.
            if !line.entries.is_empty() || line.not_before.replace(instant).is_some() {
                return Err(syntax(number, NOT_BEFORE));
            }
        } else {
            mark(number, word, line.entries.last_mut())?;
        }
    }
    Ok(line)
}

/// The words of a line, its comment left out.
pub(super) fn words(content: &str) -> impl Iterator<Item = &str> {
    let without_comment = content.split('#').next().unwrap_or_default();
    without_comment.split([' ', '\t', '\r', ',']).filter(|word| !word.is_empty())
}

const NOT_BEFORE: &str = "`not-before` is the whole ring's and stands on a line of its own";

/// Reads a mark into the entry that it stands behind, on the same line.
// Security: a mark that is not understood is never taken for none.
fn mark(number: usize, word: &str, entry: Option<&mut RingEntry>) -> Result<(), KeyError> {
    const TWICE: &str = "each mark stands once behind a key";
    let Some(RingEntry { marks, .. }) = entry else {
        let name = word.split_once('=').map(|(name, _)| name);
        let is_mark = word == OPEN_ONLY || name.is_some_and(|name| RingMarks::default().time_mut(name).is_some());
        return Err(syntax(number, if is_mark { "a mark stands behind a key on its line" } else { WORD }));
    };
    if word == OPEN_ONLY {
        return if std::mem::replace(&mut marks.open_only, true) { Err(syntax(number, TWICE)) } else { Ok(()) };
    }
    let (name, time) = word.split_once('=').ok_or_else(|| syntax(number, WORD))?;
    let place = marks.time_mut(name).ok_or_else(|| syntax(number, WORD))?;
    let instant = Timestamp::from_rfc3339(time).ok_or_else(|| syntax(number, TIME))?;
    if place.replace(instant).is_some() { Err(syntax(number, TWICE)) } else { Ok(()) }
}

const fn syntax(line: usize, expected: &'static str) -> KeyError {
    KeyError::RingSyntax { line, expected }
}
