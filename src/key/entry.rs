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
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(KeyRing::from_entries([RingEntry::new(key.clone())])?, KeyRing::new(key));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn new(key: Key) -> Self {
        let marks = RingMarks { seal_from: None, seal_until: None, open_until: None, open_only: false };
        Self { key, marks }
    }

    /// The first second in which the key seals.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let monday = Timestamp::from_rfc3339("2026-11-23T09:00:00Z").unwrap();
    /// let ring = KeyRing::new(Key::generate()?).with_entry(RingEntry::new(Key::generate()?).seal_from(monday))?;
    /// assert_ne!(ring.sealing_key_id(Timestamp::default()), ring.sealing_key_id(monday));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn seal_from(mut self, instant: Timestamp) -> Self {
        self.marks.seal_from = Some(instant);
        self
    }

    /// The last second in which the key seals, whatever else the ring holds; at the latest it stops when the next one
    /// begins.
    ///
    /// ```
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let last = Timestamp::from_unix_seconds(1_795_000_000);
    /// let ring = KeyRing::from_entries([RingEntry::new(Key::generate()?).seal_until(last)])?;
    /// assert!(ring.sealing_key_id(last).is_some());
    /// assert!(ring.sealing_key_id(last.saturating_add_seconds(1)).is_none());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn seal_until(mut self, instant: Timestamp) -> Self {
        self.marks.seal_until = Some(instant);
        self
    }

    /// The first second in which the key opens nothing any more. By default that is when nothing that it sealed is valid.
    ///
    /// ```
    /// use sealed_session::operator::{KeyState, RotationSettings};
    /// use sealed_session::{Key, KeyRing, RingEntry, Timestamp};
    ///
    /// let end = Timestamp::from_unix_seconds(1_795_000_000);
    /// let old = RingEntry::new(Key::generate()?).open_only().open_until(end);
    /// let ring = KeyRing::new(Key::generate()?).with_entry(old)?;
    /// let settings = RotationSettings::default();
    /// let old = ring.statuses(&settings, end).nth(1).unwrap();
    /// assert_eq!(old.state, KeyState::Expired);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn open_until(mut self, instant: Timestamp) -> Self {
        self.marks.open_until = Some(instant);
        self
    }

    /// The key never seals. What it opens has no upper bound unless a `seal_until` gives it one, so a thief of the key can
    /// mint for as long as it is in the ring: a `seal_until` is the better mark for a key that once sealed.
    ///
    /// ```
    /// use sealed_session::{Key, KeyError, KeyRing, RingEntry};
    ///
    /// let old = RingEntry::new(Key::generate()?).open_only();
    /// assert_eq!(KeyRing::from_entries([old]), Err(KeyError::NoSealingKey));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub const fn open_only(mut self) -> Self {
        self.marks.open_only = true;
        self
    }

    /// The id of the key.
    ///
    /// ```
    /// use sealed_session::{Key, RingEntry};
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(RingEntry::new(key.clone()).key_id(), key.id());
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
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
    ///
    /// ```
    /// use sealed_session::operator::RingMarks;
    /// use sealed_session::{Key, RingEntry, Timestamp};
    ///
    /// let key = Key::generate()?;
    /// let mut marks = RingMarks::default();
    /// marks.seal_until = Some(Timestamp::from_unix_seconds(1_795_000_000));
    /// let entry = RingEntry::new(key.clone()).open_only().with_marks(marks);
    /// assert_eq!(entry, RingEntry::new(key).seal_until(Timestamp::from_unix_seconds(1_795_000_000)));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
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
