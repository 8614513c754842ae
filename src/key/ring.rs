use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Key, text};
use crate::error::KeyError;
use crate::id::KeyId;

/// The keys of one owner: one seals, any number only open.
///
/// An envelope names its key, so at most one key is ever tried (trial decryption is what partitioning oracles need:
/// Len, Grubbs, Ristenpart, "Partitioning Oracle Attacks", 2021).
///
/// Whoever owns one key of a ring can forge every session of it: one ring per owner.
///
/// ```
/// use sealed_session::{Key, KeyRing};
///
/// let (new, old) = (Key::generate()?, Key::generate()?);
/// let ring = KeyRing::new(new.clone()).with_open_only(old)?;
/// assert_eq!(ring.sealing_key_id(), new.id());
/// assert_eq!(ring.key_ids().count(), 2);
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    sealing: Key,
    open_only: Vec<Key>,
}

impl KeyRing {
    /// A ring of one key, which seals and opens.
    #[must_use]
    pub fn new(sealing: Key) -> Self {
        Self { sealing, open_only: Vec::new() }
    }

    /// Adds a key that opens what it once sealed, and never seals again.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKeyId`] when the ring has a key of this id.
    pub fn with_open_only(mut self, key: Key) -> Result<Self, KeyError> {
        if self.find(&key.id()).is_some() {
            return Err(KeyError::DuplicateKeyId { key_id: key.id().to_string() });
        }
        self.open_only.push(key);
        Ok(self)
    }

    /// A ring from its text form: keys separated by white space or commas, `#` starts a comment.
    ///
    /// The first key that is not marked `open-only` seals; the others only open. This version reads no times; a ring
    /// that names some is refused and never read as if they did not stand there.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing};
    ///
    /// let (new, old) = (Key::generate()?, Key::generate()?);
    /// let text = format!("# seals since Monday\n{}\n{} open-only\n", *new.to_secret_text(), *old.to_secret_text());
    /// let ring = KeyRing::from_text(&text)?;
    /// assert_eq!(ring.sealing_key_id(), new.id());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the line and the rule, never a key.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let mut sealing = None;
        let mut open_only = Vec::new();
        for entry in entries(text)? {
            if sealing.is_none() && !entry.open_only {
                sealing = Some(entry.key);
            } else {
                open_only.push(entry);
            }
        }
        let Some(sealing) = sealing else {
            return Err(if open_only.is_empty() { KeyError::EmptyRing } else { KeyError::NoSealingKey });
        };
        open_only.into_iter().try_fold(Self::new(sealing), |ring, entry| {
            let line = entry.line;
            ring.with_open_only(entry.key).map_err(|source| KeyError::RingEntry { line, source: Box::new(source) })
        })
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn sealing_key_id(&self) -> KeyId {
        self.sealing.id()
    }

    /// The ids of all keys, the sealing key's first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(Key::id)
    }

    pub(crate) fn sealing_key(&self) -> &Key {
        &self.sealing
    }

    /// The one key of this id.
    pub(crate) fn find(&self, id: &KeyId) -> Option<&Key> {
        self.keys().find(|key| key.id() == *id)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.sealing).chain(&self.open_only)
    }
}

impl FromStr for KeyRing {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_text(text)
    }
}

impl From<Key> for KeyRing {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("sealing", &self.sealing).field("open_only", &self.open_only).finish()
    }
}

/// What a store is built over: a ring, held so that clones are cheap.
///
/// ```
/// use sealed_session::{Key, KeyRing, RingHandle};
///
/// let key = Key::generate()?;
/// let handle = RingHandle::from(KeyRing::new(key.clone()));
/// assert_eq!(handle.current().sealing_key_id(), key.id());
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RingHandle(Arc<KeyRing>);

impl RingHandle {
    /// The ring as it is now. One operation asks once, so that it sees one ring from its start to its end.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0)
    }
}

impl From<KeyRing> for RingHandle {
    fn from(ring: KeyRing) -> Self {
        Self(Arc::new(ring))
    }
}

impl From<Key> for RingHandle {
    fn from(key: Key) -> Self {
        Self::from(KeyRing::new(key))
    }
}

struct Entry {
    line: usize,
    key: Key,
    open_only: bool,
}

fn entries(text: &str) -> Result<Vec<Entry>, KeyError> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let without_comment = content.split('#').next().unwrap_or_default();
        // A mark belongs to the key on its own line.
        let first_of_line = entries.len();
        for word in without_comment.split([' ', '\t', '\r', ',']).filter(|word| !word.is_empty()) {
            if text::looks_like_a_key(word) {
                let key =
                    Key::from_text(word).map_err(|source| KeyError::RingEntry { line, source: Box::new(source) })?;
                entries.push(Entry { line, key, open_only: false });
                continue;
            }
            match (word, entries.get_mut(first_of_line..).and_then(<[Entry]>::last_mut)) {
                ("open-only", Some(entry)) => entry.open_only = true,
                ("open-only", None) => {
                    return Err(KeyError::RingSyntax { line, expected: "`open-only` stands behind a key on its line" });
                }
                // Security: a window or a `not-before` that is not understood must not be taken for none.
                (mark, _) if mark.contains('=') => {
                    return Err(KeyError::RingSyntax { line, expected: "this version reads no times; take them out" });
                }
                _ => {
                    return Err(KeyError::RingSyntax {
                        line,
                        expected: "a key (`ssk1.`, `hex:`, `base64:` or `base64url:`) or `open-only`",
                    });
                }
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Suite;

    fn key() -> Key {
        Key::generate().unwrap()
    }

    fn text(key: &Key) -> String {
        key.to_secret_text().to_string()
    }

    fn ids(ring: &KeyRing) -> Vec<KeyId> {
        ring.key_ids().collect()
    }

    #[test]
    fn the_first_of_a_list_seals_and_the_rest_only_open() {
        let keys = [key(), key(), key()];
        let [first, second, third] = keys.each_ref().map(text);
        for list in [
            format!("{first} {second} {third}"),
            format!("{first},{second},{third}"),
            format!(" {first},\t{second}\r\n\r\n{third}\n"),
            format!("# ring\n{first} # seals\n{second}\n#{first}\n{third}"),
        ] {
            assert_eq!(ids(&KeyRing::from_text(&list).unwrap()), keys.each_ref().map(Key::id));
        }
    }

    #[test]
    fn a_key_marked_open_only_never_seals() {
        let (old, new) = (key(), key());
        let ring = KeyRing::from_text(&format!("{} open-only\n{}", text(&old), text(&new))).unwrap();
        assert_eq!(ids(&ring), [new.id(), old.id()]);
        assert_eq!(KeyRing::from_text(&format!("{} open-only", text(&old))).unwrap_err(), KeyError::NoSealingKey);
    }

    #[test]
    fn raw_keys_with_padding_are_keys_and_no_marks() {
        let raw = "base64:H14Wj47fcCPtOiVkHL4/hcK27y80v5CNsh3UfEBfFW4=";
        assert_eq!(KeyRing::from_text(raw).unwrap().sealing_key().suite(), Suite::Xaes);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_with_its_line_and_id() {
        let twice = key();
        let error = KeyRing::from_text(&format!("{0}\n{0}", text(&twice))).unwrap_err();
        let source = Box::new(KeyError::DuplicateKeyId { key_id: twice.id().to_string() });
        assert_eq!(error, KeyError::RingEntry { line: 2, source });
    }

    #[test]
    fn a_broken_key_is_named_by_its_line() {
        let error = KeyRing::from_text(&format!("{}\n\nhex:00", text(&key()))).unwrap_err();
        assert!(matches!(error, KeyError::RingEntry { line: 3, .. }), "{error}");
    }

    #[test]
    fn an_empty_ring_is_refused() {
        for empty in ["", "\n", " , ", "# nothing\n"] {
            assert_eq!(KeyRing::from_text(empty).unwrap_err(), KeyError::EmptyRing);
        }
    }

    #[test]
    fn times_are_refused_and_never_ignored() {
        let key = text(&key());
        for line in [
            format!("{key} seal-from=2026-01-01T00:00:00Z"),
            format!("{key}\nnot-before=2026-01-01T00:00:00Z"),
            format!("{key} seal_until=1"),
        ] {
            assert!(matches!(KeyRing::from_text(&line), Err(KeyError::RingSyntax { .. })), "{line}");
        }
    }

    #[test]
    fn words_that_mean_nothing_are_refused() {
        let key = text(&key());
        for line in [format!("{key} sealing"), "open-only".to_owned(), format!("{key}\nopen-only"), "secret".to_owned()]
        {
            assert!(matches!(KeyRing::from_text(&line), Err(KeyError::RingSyntax { .. })), "{line}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_whole_id_alone() {
        let (sealing, old) = (key(), key());
        let ring = KeyRing::new(sealing.clone()).with_open_only(old.clone()).unwrap();
        assert_eq!(ring.find(&old.id()), Some(&old));
        for bit in 0..64 {
            let mut bytes = *old.id().as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ring.find(&KeyId::from_bytes(bytes)), None);
        }
    }
}
