//! Every numeric limit of the store, once, with its source.

/// Most bytes of a record in DynamoDB: an item has 400 KiB, and one of them is left to names, numbers and the key.
pub const RECORD_MAX_BYTES: usize = 399 * 1024;

/// Longest name of an attribute that DynamoDB's store takes: what the service allows for a key.
pub(crate) const ATTRIBUTE_NAME_MAX_BYTES: usize = 255;

/// How long the creation of a table in DynamoDB is waited for.
pub(crate) const TABLE_WAIT_SECONDS: u64 = 60;
