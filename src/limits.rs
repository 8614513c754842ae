//! Every numeric limit, once, with its source. Lengths are in bytes, durations in seconds, unless the name says otherwise.

/// Longest name and value of a cookie together, the `=` not counted: RFC 6265bis §5.6, and measured in Chromium and Firefox.
pub const COOKIE_NAME_AND_VALUE_MAX_BYTES: usize = 4096;

/// Longest cookie attribute value that a browser does not ignore: RFC 6265bis §5.6.
pub const COOKIE_ATTRIBUTE_MAX_BYTES: usize = 1024;

/// Longest `Max-Age`, 400 days: RFC 6265bis §5.5.
pub const COOKIE_MAX_AGE_SECONDS: u64 = 34_560_000;

/// Longest cookie name that the crate takes. Browsers would take more; every byte of the name is one less for the data.
pub const COOKIE_NAME_MAX_BYTES: usize = 256;

/// Longest audience that the crate takes. The format has room for 65,535; a name of an application needs fewer, and the
/// bound keeps the associated data on the stack.
pub const AUDIENCE_MAX_BYTES: usize = 256;

/// Cookies of our name that are tried in one request. Security: the client chooses how many it sends, never how often we decrypt.
pub const COOKIE_CANDIDATES_MAX: usize = 4;

/// Names and audiences of before that are tried in one request.
pub const EARLIER_CONTEXTS_MAX: usize = 4;

/// Longest `Set-Cookie` value by default when a server store stands behind: stock nginx answers 502 to more than 4 KiB of
/// response headers, and the application sets headers of its own.
pub const INLINE_LIMIT_WITH_STORE_BYTES: usize = 3072;

/// Fewest characters of a sealed cookie: an envelope of 82 bytes (wire format, section 9) in base64url.
pub const COOKIE_TEXT_MIN_CHARACTERS: usize = 110;

/// Largest envelope that a cookie's text can carry, 4096 characters of base64url: the size of the scratch buffers.
pub const COOKIE_ENVELOPE_MAX_BYTES: usize = COOKIE_NAME_AND_VALUE_MAX_BYTES / 4 * 3;

/// Fewest bytes of JSON that a cookie must have room for, or its limit is a mistake.
pub const LEAST_INLINE_PAYLOAD_BYTES: usize = 64;

/// Largest payload of a record in a server store, by default.
pub const RECORD_PAYLOAD_MAX_BYTES: usize = 1024 * 1024;

/// Difference between the clocks of two servers that is tolerated: wire format, section 4, step 9.
pub const CLOCK_SKEW_SECONDS: u64 = 60;

/// How long a key that was superseded still seals on servers that have not loaded the new ring, by default: wire format,
/// section 7.
pub const KEY_GRACE_SECONDS: u64 = 60 * 60;

/// How often a watched ring is read, by default.
pub const KEY_POLL_SECONDS: u64 = 5;

/// How soon a ring that has changed is read again, to see that it was whole.
pub const KEY_SETTLE_MILLISECONDS: u64 = 200;

/// Idle timeout by default, two hours.
pub const IDLE_TIMEOUT_SECONDS: u64 = 2 * 60 * 60;

/// Absolute timeout by default, 30 days.
pub const ABSOLUTE_TIMEOUT_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Times that a write is tried again when other requests write the same session in between.
pub const CONFLICT_RETRIES_MAX: usize = 64;

/// Times that it is tried again however long that takes.
pub const CONFLICT_RETRIES_MIN: usize = 4;

/// How long the tries of one write go on: after this many milliseconds it is a conflict for the caller.
pub const CONFLICT_RETRIES_MAX_MILLISECONDS: u64 = 2000;

/// Longest pause before a write is tried again, in milliseconds.
pub const CONFLICT_PAUSE_MAX_MILLISECONDS: u64 = 50;

/// How long a call to a server store may take by default, in milliseconds.
pub const STORE_TIMEOUT_MILLISECONDS: u64 = 2000;

/// How long a record stays readable after `regenerate` gave its session a new id.
pub const REGENERATE_GRACE_SECONDS: u64 = 10;

/// For how long a record that was left or ended keeps late writes from reviving its session: 15 minutes, longer than any
/// request is in flight.
pub const ENDED_RECORD_SECONDS: u64 = 15 * 60;

/// Markers of sessions that a browser has left: the oldest goes first.
pub const MARKERS_MAX: usize = 4;

/// Markers that no holder of the ring set: the oldest of them are removed. One browser gets so many of a server with a newer ring, and
/// they leave room for its own.
pub const STRANGE_MARKERS_MAX: usize = 8;

/// Cookies with the name of a marker that are looked at in one request.
pub const MARKER_CANDIDATES_MAX: usize = 16;

/// Cookie plaintexts are filled to a multiple of this, by default.
pub const COOKIE_PADDING_BUCKET_BYTES: usize = 32;

/// Largest multiple that cookie plaintexts can be filled to.
pub const COOKIE_PADDING_BUCKET_MAX_BYTES: usize = 1024;

/// Record plaintexts are filled to a multiple of this: wire format, section 6.
pub const RECORD_PADDING_BUCKET_BYTES: usize = 256;

/// Deepest nesting of the data, as `serde_json` reads it.
pub const DATA_DEPTH_MAX: usize = 128;

/// Bytes that the memory store holds by default, sealed records and its own bookkeeping together.
pub const MEMORY_STORE_CAPACITY_BYTES: u64 = 64 * 1024 * 1024;

/// Largest posted form that is read where the framework has no limit of its own for a form's body, 2 MiB.
pub const FORM_MAX_BYTES: usize = 2 * 1024 * 1024;

/// How often a [`Sweeper`](crate::store::Sweeper) removes expired records, by default.
pub const SWEEP_INTERVAL_SECONDS: u64 = 10 * 60;

/// Records that one call of a [`Sweeper`](crate::store::Sweeper) removes at most, by default.
pub const SWEEP_RECORDS_MAX: usize = 10_000;
