//! From when until when each key of a ring seals, by its own marks and by the key that follows: wire format, section 7.

use sealed_session::operator::RingMarks;
use sealed_session::{KeyId, KeyRing, RingEntry, Timestamp};

/// The keys of a ring that can seal, with their own marks.
#[derive(Clone, Debug)]
pub(crate) struct SealWindows(Vec<(KeyId, RingMarks)>);

impl SealWindows {
    pub(crate) fn of(ring: &KeyRing) -> Self {
        let mark = |entry: &RingEntry| (entry.key_id(), *entry.marks());
        Self(ring.entries().filter(|entry| !entry.marks().open_only).map(mark).collect())
    }

    /// The same, had this key begun at another instant.
    pub(crate) fn beginning_at(mut self, key_id: KeyId, seal_from: Timestamp) -> Self {
        let moved = self.0.iter_mut().find(|(known, _)| *known == key_id);
        moved.into_iter().for_each(|(_, marks)| marks.seal_from = Some(seal_from));
        self
    }

    /// The same without this key.
    pub(crate) fn without(mut self, key_id: KeyId) -> Self {
        self.0.retain(|(known, _)| *known != key_id);
        self
    }

    /// When the key behind this one begins.
    fn next(&self, marks: &RingMarks) -> Option<Timestamp> {
        self.0.iter().filter_map(|(_, other)| other.seal_from).filter(|from| Some(*from) > marks.seal_from).min()
    }

    fn marks(&self, key_id: KeyId) -> Option<&RingMarks> {
        self.0.iter().find(|(known, _)| *known == key_id).map(|(_, marks)| marks)
    }

    /// The last second in which a key seals, by its own end and by the key behind it.
    fn end(&self, marks: &RingMarks) -> Option<Timestamp> {
        [marks.seal_until, self.next(marks)].into_iter().flatten().min()
    }

    /// The first and the last second in which a key seals; `None` for since ever, and for no end.
    pub(crate) fn of_key(&self, key_id: KeyId) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
        let marks = self.marks(key_id)?;
        // In the second in which the next key begins, that one seals.
        let before_next =
            self.next(marks).map(|next| Timestamp::from_unix_seconds(next.unix_seconds().saturating_sub(1)));
        Some((marks.seal_from, [marks.seal_until, before_next].into_iter().flatten().min()))
    }

    /// The keys that ended by this instant only because the next one began, and that end: their own lines do not say it, so
    /// without the next key they would seal again.
    pub(crate) fn unwritten_ends(&self, now: Timestamp) -> impl Iterator<Item = (KeyId, Timestamp)> {
        self.0.iter().filter_map(move |(key_id, marks)| {
            let end = self.next(marks).filter(|next| *next <= now)?;
            marks.seal_until.is_none_or(|own| own > end).then_some((*key_id, end))
        })
    }

    /// The marks of all keys once `self` has become `after`: each key that was superseded has its end written. An end that
    /// has not come and was the beginning of the next key follows that key; any other only ever comes nearer.
    // Security: a key past its end never seals again, so an end that has come is never moved or taken off.
    pub(crate) fn marks_after(self, after: Self, now: Timestamp) -> Vec<(KeyId, RingMarks)> {
        let marks = |(key_id, marks): &(KeyId, RingMarks)| {
            let next = after.next(marks);
            let before = self.marks(*key_id);
            let next_before = before.and_then(|before| self.next(before));
            let is_past = next_before.is_some_and(|next| next <= now) || marks.seal_until.is_some_and(|own| own < now);
            let seal_until = if is_past {
                before.and_then(|before| self.end(before))
            } else if marks.seal_until.is_none() || marks.seal_until == next_before {
                next
            } else {
                after.end(marks)
            };
            let mut ended = *marks;
            ended.seal_until = seal_until;
            (*key_id, ended)
        };
        after.0.iter().map(marks).collect()
    }
}
