use super::{Key, RingMarks};
use crate::clock::Timestamp;
use crate::id::KeyId;

/// A key of a ring, and when it is used: wire format, section 7.
///
/// ```
/// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
///
/// let (old, new) = (Key::generate()?, Key::generate()?);
/// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
/// let ring = KeyRing::from_entries([
///     RingEntry::new(old.clone()),
///     // Loaded by every server before Monday, and sealing on all of them from then on.
///     RingEntry::new(new.clone()).seal_from(monday),
/// ])?;
/// let sunday = Timestamp::from_rfc3339("2026-11-22T09:00:00Z").unwrap();
/// assert_eq!(ring.sealing_key_id(sunday), Some(old.id()));
/// assert_eq!(ring.sealing_key_id(monday), Some(new.id()));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingEntry {
    pub(super) key: Key,
    pub(super) marks: RingMarks,
}

impl RingEntry {
    /// A key that seals since ever, until another one does.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        let marks = RingMarks { seal_from: None, seal_until: None, open_until: None, open_only: false };
        Self { key, marks }
    }

    /// The first second in which the key seals.
    #[must_use]
    pub const fn seal_from(mut self, instant: Timestamp) -> Self {
        self.marks.seal_from = Some(instant);
        self
    }

    /// The last second in which the key seals, whatever else the ring holds; at the latest it stops when the next one
    /// begins.
    #[must_use]
    pub const fn seal_until(mut self, instant: Timestamp) -> Self {
        self.marks.seal_until = Some(instant);
        self
    }

    /// The first second in which the key opens nothing any more. By default that is when nothing that it sealed is valid.
    #[must_use]
    pub const fn open_until(mut self, instant: Timestamp) -> Self {
        self.marks.open_until = Some(instant);
        self
    }

    /// The key never seals. What it opens has no upper bound unless a `seal_until` gives it one, so a thief of the key can
    /// mint for as long as it is in the ring: a `seal_until` is the better mark for a key that once sealed.
    #[must_use]
    pub const fn open_only(mut self) -> Self {
        self.marks.open_only = true;
        self
    }

    /// The id of the key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key.id()
    }

    /// The entry's own marks.
    ///
    /// ```
    /// use sealed_session::{Key, RingEntry};
    ///
    /// assert!(RingEntry::new(Key::generate()?).open_only().marks().open_only);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn marks(&self) -> &RingMarks {
        &self.marks
    }

    /// The same key with these marks, whatever it had.
    #[must_use]
    pub const fn with_marks(mut self, marks: RingMarks) -> Self {
        self.marks = marks;
        self
    }
}

impl From<Key> for RingEntry {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}
