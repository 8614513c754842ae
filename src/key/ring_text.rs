//! The text form of a ring: wire format, section 7.
//!
//! ```text
//! # comment
//! KEY [seal-from=TIME] [seal-until=TIME] [open-until=TIME] [open-only]
//! not-before=TIME
//! KEY KEY,KEY                                  a list: nothing in the ring has a time; the first key seals
//! ```

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::key::OPEN_ONLY;
use super::{Key, KeyRing, RingEntry, RingMarks, key_text};
use crate::clock::Timestamp;
use crate::error::KeyError;
use crate::id::KeyId;

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
        if key_text::looks_like_a_key(word) {
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

impl KeyRing {
    /// A ring from its text form: one entry a line, `#` starts a comment.
    ///
    /// `KEY [seal-from=TIME] [seal-until=TIME] [open-until=TIME] [open-only]`, and for the whole ring a line
    /// `not-before=TIME`; times in RFC 3339. Keys alone, separated by white space or commas, are a ring too: when no key has
    /// a time, the first that is not marked `open-only` seals, and the others only open.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, Timestamp};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let (new_text, old_text) = (new.to_secret_text(), old.to_secret_text());
    /// let text = format!("# the new one takes over on Monday\n{} seal-from=2026-11-23T09:00:00Z\n{}\n", *new_text, *old_text);
    /// let ring = KeyRing::from_text(&text)?;
    /// assert_eq!(ring.sealing_key_id(Timestamp::from_rfc3339("2026-11-22T00:00:00Z").unwrap()), Some(old.id()));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the line or the entry, and the rule, never a key.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        ring(&lines(text)?)
    }
}

impl FromStr for KeyRing {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_text(text)
    }
}

/// The text form of a ring, to be edited: what an edit does not touch stays byte for byte, comments and order included.
///
/// An edited line has one key, written in its self-checking form, and keeps its comment; where several keys stood on the
/// line, the comment moves above them. An edit that gives the first time to a plain list marks as `open-only` what only
/// opened by its place in the list. An edit that fails changes nothing.
///
/// An edit keeps a text in line with the rules of [`KeyRing::from_entries`]. Whether it is wise is the caller's business:
/// `sealed-session keys` knows what a fleet needs.
///
/// ```
/// use sealed_session::operator::RingText;
/// use sealed_session::{Key, RingEntry, Timestamp};
///
/// let (old, new) = (Key::generate()?, Key::generate()?);
/// let mut text = RingText::parse(&format!("# example-app\n{}\n", *old.to_secret_text()))?;
/// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
/// text.push(RingEntry::new(new).seal_from(monday), Some("for the winter"))?;
/// let mut marks = *text.marks(&old.id()).unwrap();
/// marks.seal_until = Some(monday);
/// text.set_marks([(old.id(), marks)])?;
///
/// let written = text.to_secret_text();
/// let lines: Vec<_> = written.lines().collect();
/// assert_eq!(lines[0], "# example-app");
/// assert!(lines[1].ends_with(" seal-until=2026-11-23T09:00:00Z"));
/// assert!(lines[2].ends_with(" seal-from=2026-11-23T09:00:00Z # for the winter"));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct RingText {
    lines: Vec<TextLine>,
    ring: KeyRing,
}

#[derive(Clone)]
struct TextLine {
    /// As it stands, its line break included.
    raw: Zeroizing<String>,
    /// What it says, as it acts.
    content: Line,
    is_edited: bool,
}

impl RingText {
    /// The text of a ring of one entry, with a comment behind it.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry};
    ///
    /// let text = RingText::new(RingEntry::new(Key::generate()?), Some("the first"))?;
    /// assert!(text.to_secret_text().ends_with(" # the first\n"));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyRing::from_entries`].
    pub fn new(entry: RingEntry, comment: Option<&str>) -> Result<Self, KeyError> {
        let line = TextLine::of_entry(entry, comment, "\n");
        let ring = ring([&line.content])?;
        let mut text = Self { lines: Vec::new(), ring };
        text.settle(vec![line])?;
        Ok(text)
    }

    /// Reads a text.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::Key;
    ///
    /// let file = format!("# example-app\n{}\n", *Key::generate()?.to_secret_text());
    /// assert_eq!(*RingText::parse(&file)?.to_secret_text(), file);
    /// assert!(RingText::parse("# no key yet\n").is_err());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyRing::from_text`]: what is no ring cannot be edited.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let contents = lines(text)?;
        let ring = ring(&contents)?;
        let line = |(raw, content)| TextLine { raw: copy(&[raw]), content, is_edited: false };
        Ok(Self { lines: text.split_inclusive('\n').zip(contents).map(line).collect(), ring })
    }

    /// The text as it is now: **the keys' secrets**, for a key file.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, KeyRing, RingEntry};
    ///
    /// let text = RingText::new(RingEntry::new(Key::generate()?), None)?;
    /// assert_eq!(KeyRing::from_text(&text.to_secret_text())?, *text.ring());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        secret_text(&self.lines)
    }

    /// The ring that [`KeyRing::from_text`] reads from the text.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, KeyRing};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(*RingText::parse(&key.to_secret_text())?.ring(), KeyRing::new(key));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The entries in the order of the text, as they act: those of a plain list that only open by their place are marked so.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::Key;
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let text = RingText::parse(&format!("{} {}", *new.to_secret_text(), *old.to_secret_text()))?;
    /// assert!(text.entries().map(|entry| (entry.key_id(), entry.marks().open_only)).eq([(new.id(), false), (old.id(), true)]));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    pub fn entries(&self) -> impl Iterator<Item = &RingEntry> {
        self.lines.iter().flat_map(|line| &line.content.entries)
    }

    /// Whether no key has a time, so that the order of the keys says which of them seals.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::Key;
    ///
    /// let key = Key::generate()?.to_secret_text();
    /// assert!(RingText::parse(&key)?.is_plain_list());
    /// assert!(!RingText::parse(&format!("{} seal-from=2026-11-23T09:00:00Z", *key))?.is_plain_list());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn is_plain_list(&self) -> bool {
        is_plain_list(self.entries())
    }

    /// The marks of a key of the ring, as they act.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let (key, instant) = (Key::generate()?, Timestamp::from_unix_seconds(1_795_000_000));
    /// let text = RingText::new(RingEntry::new(key.clone()).seal_from(instant), None)?;
    /// assert_eq!(text.marks(&key.id()).unwrap().seal_from, Some(instant));
    /// assert_eq!(text.marks(&Key::generate()?.id()), None);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn marks(&self, key_id: &KeyId) -> Option<&RingMarks> {
        self.entries().find(|entry| entry.key_id() == *key_id).map(RingEntry::marks)
    }

    /// Adds an entry on a line at the end, with a comment behind it. Control characters of the comment become spaces.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let mut text = RingText::new(RingEntry::new(Key::generate()?), None)?;
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// text.push(RingEntry::new(Key::generate()?).seal_from(monday), Some("for the winter"))?;
    /// assert!(text.to_secret_text().ends_with(" seal-from=2026-11-23T09:00:00Z # for the winter\n"));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`KeyRing::from_entries`], and [`KeyError::NoTextForm`] for a time behind the year 9999.
    pub fn push(&mut self, entry: RingEntry, comment: Option<&str>) -> Result<(), KeyError> {
        let line_break = self.line_break();
        let mut lines = self.lines_with_an_end();
        lines.push(TextLine::of_entry(entry, comment, line_break));
        self.settle(lines)
    }

    /// Gives keys of the ring other marks, all at once.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let key = Key::generate()?;
    /// let mut text = RingText::new(RingEntry::new(key.clone()), None)?;
    /// let mut marks = *text.marks(&key.id()).unwrap();
    /// marks.seal_until = Timestamp::from_rfc3339("2026-11-23T09:00:00Z");
    /// text.set_marks([(key.id(), marks)])?;
    /// assert!(text.to_secret_text().ends_with(" seal-until=2026-11-23T09:00:00Z\n"));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NotInRing`] for another key; otherwise as [`RingText::push`].
    pub fn set_marks(&mut self, changes: impl IntoIterator<Item = (KeyId, RingMarks)>) -> Result<(), KeyError> {
        let mut lines = self.lines.clone();
        for (key_id, marks) in changes {
            let line = line_of(&mut lines, &key_id)?;
            let entries = line.content.entries.iter_mut();
            for entry in entries.filter(|entry| entry.key_id() == key_id && *entry.marks() != marks) {
                entry.marks = marks;
                line.is_edited = true;
            }
        }
        self.settle(lines)
    }

    /// Takes a key out, and with it the comment on its line unless other keys stand there.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let mut text = RingText::new(RingEntry::new(new.clone()), None)?;
    /// text.push(RingEntry::new(old.clone()).open_only(), None)?;
    /// text.remove(&old.id())?;
    /// assert_eq!(text.ring().key_ids().count(), 1);
    /// // A ring has a key that can seal.
    /// assert!(text.remove(&new.id()).is_err());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NotInRing`], and as [`KeyRing::from_entries`] for what is left: a ring has a key that can seal.
    pub fn remove(&mut self, key_id: &KeyId) -> Result<(), KeyError> {
        let mut lines = self.lines.clone();
        let line = line_of(&mut lines, key_id)?;
        line.content.entries.retain(|entry| entry.key_id() != *key_id);
        line.is_edited = true;
        // An edited line without a key and without a `not-before` has had this one alone.
        lines.retain(|line| !line.is_edited || !line.content.entries.is_empty());
        self.settle(lines)
    }

    /// Sets the ring's `not-before` on its line, or on a new one at the end; `None` takes the line out.
    ///
    /// ```
    /// use sealed_session::operator::RingText;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let mut text = RingText::new(RingEntry::new(Key::generate()?), None)?;
    /// text.set_not_before(Timestamp::from_rfc3339("2026-11-23T09:00:00Z"))?;
    /// assert!(text.to_secret_text().ends_with("\nnot-before=2026-11-23T09:00:00Z\n"));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::NoTextForm`] for a time behind the year 9999.
    pub fn set_not_before(&mut self, instant: Option<Timestamp>) -> Result<(), KeyError> {
        let line_break = self.line_break();
        let mut lines = self.lines_with_an_end();
        let is_here = |line: &TextLine| line.content.not_before.is_some();
        match instant {
            None => lines.retain(|line| !is_here(line)),
            Some(_) if lines.iter().any(is_here) => {
                for line in lines.iter_mut().filter(|line| is_here(line) && line.content.not_before != instant) {
                    line.content.not_before = instant;
                    line.is_edited = true;
                }
            }
            Some(_) => {
                let content = Line { not_before: instant, ..Line::default() };
                lines.push(TextLine { raw: copy(&[line_break]), content, is_edited: true });
            }
        }
        self.settle(lines)
    }

    /// Writes the edited lines anew, and takes the outcome when it reads as what was meant.
    fn settle(&mut self, lines: Vec<TextLine>) -> Result<(), KeyError> {
        let ring = ring(lines.iter().map(|line| &line.content))?;
        let mut lines = rewrite(lines);
        if KeyRing::from_text(&secret_text(&lines)).as_ref() != Ok(&ring) {
            // The order said what the marks now have to say.
            lines.iter_mut().for_each(|line| line.is_edited |= line.lacks_marks());
            lines = rewrite(lines);
            if KeyRing::from_text(&secret_text(&lines)).as_ref() != Ok(&ring) {
                return Err(KeyError::NoTextForm);
            }
        }
        *self = Self { lines, ring };
        Ok(())
    }

    fn line_break(&self) -> &'static str {
        self.lines.first().map_or("\n", |line| line.parts().line_break_or_newline())
    }

    /// The lines, the last of which has a line break too.
    fn lines_with_an_end(&self) -> Vec<TextLine> {
        let mut lines = self.lines.clone();
        if let Some(last) = lines.last_mut().filter(|line| !line.raw.ends_with('\n')) {
            last.raw = copy(&[&last.raw, self.line_break()]);
        }
        lines
    }
}

impl fmt::Debug for RingText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Security: comments too may hold a key that was taken out of use.
        f.debug_struct("RingText").field("ring", &self.ring).finish_non_exhaustive()
    }
}

/// A line's parts in their order, its words left out.
struct Parts<'a> {
    /// With the white space before it; empty where there is none.
    comment: &'a str,
    line_break: &'static str,
}

impl Parts<'_> {
    fn line_break_or_newline(&self) -> &'static str {
        if self.line_break.is_empty() { "\n" } else { self.line_break }
    }
}

impl TextLine {
    fn of_entry(entry: RingEntry, comment: Option<&str>, line_break: &'static str) -> Self {
        let comment: String = comment.unwrap_or_default().replace(char::is_control, " ");
        let raw = match comment.as_str() {
            "" => copy(&[line_break]),
            comment => copy(&[" # ", comment, line_break]),
        };
        let content = Line { entries: vec![entry], not_before: None };
        Self { raw, content, is_edited: true }
    }

    fn parts(&self) -> Parts<'_> {
        let (text, line_break) = if let Some(text) = self.raw.strip_suffix("\r\n") {
            (text, "\r\n")
        } else if let Some(text) = self.raw.strip_suffix('\n') {
            (text, "\n")
        } else {
            (self.raw.as_str(), "")
        };
        let comment = text.find('#').map_or("", |hash| {
            let words = text.get(..hash).unwrap_or_default();
            text.get(words.trim_end().len()..).unwrap_or_default()
        });
        Parts { comment, line_break }
    }

    /// Whether a key of the line only opens by its place in a list.
    fn lacks_marks(&self) -> bool {
        let written = words(self.raw.trim_end_matches('\n')).filter(|word| *word == OPEN_ONLY).count();
        self.content.entries.iter().filter(|entry| entry.marks().open_only).count() != written
    }

    /// The line as its content demands: one line for each of its keys.
    fn rewritten(self) -> Vec<Self> {
        let Parts { comment, line_break } = self.parts();
        let line = |raw, content| Self { raw, content, is_edited: false };
        let Line { entries, not_before } = &self.content;
        if let Some(instant) = not_before {
            let raw = copy(&["not-before=", &instant.to_rfc3339(), comment, line_break]);
            return vec![line(raw, self.content.clone())];
        }
        let content = |entry: &RingEntry| Line { entries: vec![entry.clone()], not_before: None };
        if let [entry] = entries.as_slice() {
            return vec![line(entry_text(entry, comment, line_break), content(entry))];
        }
        let between = self.parts().line_break_or_newline();
        let mut lines = Vec::new();
        if !comment.is_empty() {
            lines.push(line(copy(&[comment.trim_start(), between]), Line::default()));
        }
        let last = entries.len().saturating_sub(1);
        for (position, entry) in entries.iter().enumerate() {
            let line_break = if position == last { line_break } else { between };
            lines.push(line(entry_text(entry, "", line_break), content(entry)));
        }
        lines
    }
}

fn rewrite(lines: Vec<TextLine>) -> Vec<TextLine> {
    lines.into_iter().flat_map(|line| if line.is_edited { line.rewritten() } else { vec![line] }).collect()
}

fn line_of<'a>(lines: &'a mut [TextLine], key_id: &KeyId) -> Result<&'a mut TextLine, KeyError> {
    let has_it = |line: &&mut TextLine| line.content.entries.iter().any(|entry| entry.key_id() == *key_id);
    lines.iter_mut().find(has_it).ok_or_else(|| KeyError::NotInRing { key_id: key_id.to_string() })
}

fn entry_text(entry: &RingEntry, comment: &str, line_break: &str) -> Zeroizing<String> {
    let marks = entry.marks().to_string();
    let space = if marks.is_empty() { "" } else { " " };
    copy(&[&entry.key.to_secret_text(), space, &marks, comment, line_break])
}

fn secret_text(lines: &[TextLine]) -> Zeroizing<String> {
    copy(&lines.iter().map(|line| line.raw.as_str()).collect::<Vec<_>>())
}

/// These texts behind each other.
// Security: in one allocation of the whole length. Growing would leave copies of the keys behind.
fn copy(parts: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| text.push_str(part));
    text
}
