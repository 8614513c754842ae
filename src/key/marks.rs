use std::fmt;

use crate::clock::Timestamp;

/// What stands behind a key in a ring: when it seals and opens. All of it is the entry's own; what the other keys of the ring
/// make of it is [`KeyStatus`](super::KeyStatus).
///
/// ```
/// use sealed_session::operator::RingMarks;
/// use sealed_session::Timestamp;
///
/// let mut marks = RingMarks::default();
/// marks.seal_until = Timestamp::from_rfc3339("2026-11-23T09:00:00Z");
/// marks.open_only = true;
/// assert_eq!(marks.to_string(), "seal-until=2026-11-23T09:00:00Z open-only");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingMarks {
    /// The first second in which the key seals; `None` for since ever.
    pub seal_from: Option<Timestamp>,
    /// The last second in which the key seals; `None` for until the next one does.
    pub seal_until: Option<Timestamp>,
    /// The first second in which the key opens nothing any more; `None` for when nothing that it sealed is valid.
    pub open_until: Option<Timestamp>,
    /// The key never seals.
    pub open_only: bool,
}

/// The word that marks a key which never seals.
pub(super) const OPEN_ONLY: &str = "open-only";

impl RingMarks {
    /// The times and their names in a ring's text.
    pub(super) const fn times(&self) -> [(&'static str, Option<Timestamp>); 3] {
        [("seal-from", self.seal_from), ("seal-until", self.seal_until), ("open-until", self.open_until)]
    }

    /// The place of the time of this name.
    pub(super) fn time_mut(&mut self, name: &str) -> Option<&mut Option<Timestamp>> {
        match name {
            "seal-from" => Some(&mut self.seal_from),
            "seal-until" => Some(&mut self.seal_until),
            "open-until" => Some(&mut self.open_until),
            _ => None,
        }
    }

    pub(super) fn name_a_time(&self) -> bool {
        self.times().iter().any(|(_, time)| time.is_some())
    }
}

impl fmt::Display for RingMarks {
    /// As behind a key in the text form of a ring; nothing where there are none. Times behind the year 9999 have no such form
    /// and are shown as its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for (name, time) in self.times() {
            if let Some(time) = time {
                write!(f, "{space}{name}={}", time.to_rfc3339())?;
                space = " ";
            }
        }
        if self.open_only { write!(f, "{space}{OPEN_ONLY}") } else { Ok(()) }
    }
}
