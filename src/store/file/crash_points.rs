//! The steps of a write, by name, so that a test can end the process behind each of them.

/// What a write has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Locked,
    Compared,
    FileCreated,
    HeadWritten,
    BytesWritten,
    Synced,
    Renamed,
    DirectorySynced,
    Unlinked,
}

/// Nothing happens here outside of the crash tests.
#[cfg(not(test))]
pub(super) const fn reached(_: Step) {}

#[cfg(test)]
pub(super) use super::crash_tests::reached;
