//! Every numeric limit of the store, once, with its source.

/// Longest table or schema name that an SQL store takes: PostgreSQL cuts names at 63 bytes without an error, and the
/// index is named after the table with 11 bytes more.
pub(crate) const TABLE_NAME_MAX_BYTES: usize = 48;

/// Rows that an SQL store sweeps in one statement, so that none is locked for long.
pub(crate) const SWEEP_BATCH_ROWS: usize = 1000;

/// Times that a statement is tried again when the engine gave it up for another one, as in a deadlock.
pub(crate) const RETRIES_MAX: usize = 64;

/// How long a connection that an SQL store opened itself may have been idle before it is tried out before use: shorter
/// than an engine takes to restart.
pub(crate) const IDLE_BEFORE_PING_SECONDS: u64 = 5;

/// How long an SQL store's own pool waits for a connection.
pub(crate) const ACQUIRE_TIMEOUT_MILLISECONDS: u64 = 5_000;
