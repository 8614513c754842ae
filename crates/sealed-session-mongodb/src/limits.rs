//! Every numeric limit of the store, once, with its source.

/// Longest name of a collection that MongoDB's store takes: with the database's it has 255 bytes, and 120 before 4.4.
pub(crate) const COLLECTION_NAME_MAX_BYTES: usize = 120;

/// The last second of the year 9999, where the dates of many of MongoDB's clients end.
pub(crate) const DATE_MAX_SECONDS: u64 = 253_402_300_799;

/// Times that an update of MongoDB is tried again when the record came to be between its two commands.
pub(crate) const RETRIES_MAX: usize = 16;

/// Documents that MongoDB's store sweeps in one command.
pub(crate) const SWEEP_BATCH_DOCUMENTS: usize = 1000;
