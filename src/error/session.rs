use std::error::Error;
use std::fmt;

const NO_SEALING_KEY: &str = "no key of the ring seals now; add one, and see `sealed-session keys check`";

/// A call on a session that cannot be carried out. The session is as it was before.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The value at a path is not what the call needs.
    Type {
        /// The path, its segments joined by dots; empty for the whole session.
        path: String,
        /// What stands there: `a string`, `an array`, ….
        found: &'static str,
        /// What was asked for, and why it does not fit.
        problem: String,
    },
    /// What stands at a path is not a number, and was to be incremented or decremented.
    NotANumber {
        /// The path, its segments joined by dots.
        path: String,
    },
    /// A value that cannot be kept as JSON without changing it.
    Value {
        /// The path, its segments joined by dots, down to the part of the value that is at fault; empty for the whole
        /// session.
        path: String,
        /// What is wrong with the value; never the value itself.
        problem: String,
    },
    /// A path that cannot name a value.
    Path {
        /// The path, its segments joined by dots.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A lifetime outside of what the configuration allows.
    Lifetime {
        /// Seconds that were asked for.
        asked_seconds: u64,
        /// Most seconds that are allowed.
        most_seconds: u64,
    },
    /// No key of the ring seals now, so no token can be made.
    NoSealingKey,
    /// A key was to be kept from the cookie, and no server store is configured.
    NoStore,
    /// The session has been destroyed in this request.
    Destroyed,
    /// The session has been committed: the response head is on its way.
    Committed,
    /// The request of the session has ended without a commit: its client has left, or its service failed.
    Abandoned,
    /// The session was opened to be read, outside of a request.
    ReadOnly,
    /// No id could be made.
    Random(RandomError),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { path, problem, .. } if path.is_empty() => write!(f, "the session as a whole: {problem}"),
            Self::Type { path, found, problem } => {
                write!(f, "the session has {found} at \"{path}\": {problem}")
            }
            Self::NotANumber { path } => write!(f, "Cannot increment \"{path}\": existing value is not a number"),
            Self::Value { path, problem } if path.is_empty() => {
                write!(f, "cannot keep the value as the whole session: {problem}")
            }
            Self::Value { path, problem } => write!(f, "cannot keep the value for \"{path}\": {problem}"),
            Self::Path { path, problem } => write!(f, "cannot use the path \"{path}\": {problem}"),
            Self::Lifetime { asked_seconds, most_seconds } => write!(
                f,
                "a session may last from 1 to {most_seconds} s, {asked_seconds} s were asked for; raise `remember_max`"
            ),
            Self::NoSealingKey => f.write_str(NO_SEALING_KEY),
            Self::NoStore => {
                f.write_str("a key can be kept from the cookie only with a server store; configure one with `store`")
            }
            Self::Destroyed => f.write_str("the session was destroyed in this request; nothing can be written to it"),
            Self::Committed => {
                f.write_str("the session was committed with the response head; write before the response is returned")
            }
            Self::Abandoned => {
                f.write_str("the session's request has ended; begin another one to write to the session")
            }
            Self::ReadOnly => {
                f.write_str("the session was opened to be read: there is no response that could carry its cookie")
            }
            Self::Random(source) => source.fmt(f),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Random(source) => Some(source),
            _ => None,
        }
    }
}

impl From<RandomError> for SessionError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

/// Why a value was not sealed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealError {
    /// The cookie would be longer than browsers, or the configuration, take.
    TooLarge {
        /// Bytes of the payload.
        payload_bytes: usize,
        /// Most bytes that a payload may have here.
        payload_max_bytes: usize,
    },
    /// The value does not serialize.
    Value(serde_json::Error),
    /// The value serializes to something other than a JSON object.
    NotAnObject,
    /// The value's member `"~"`, which is reserved, is no object, or a member of it is not of its kind.
    ReservedMember,
    /// The value serializes to JSON that no session manager would read back as it was.
    Unreadable {
        /// What is wrong with the value, and the mend. A repeated name is shown, and no value.
        problem: String,
    },
    /// The lifetime that was asked for is longer than the configuration allows.
    Lifetime {
        /// Seconds that were asked for.
        asked_seconds: u64,
        /// Most seconds that are allowed.
        most_seconds: u64,
    },
    /// No key of the ring seals now.
    NoSealingKey,
    /// No nonce could be drawn.
    Random(RandomError),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { payload_bytes, payload_max_bytes } => write!(
                f,
                "{payload_bytes} bytes of JSON do not fit, {payload_max_bytes} are the most; keep less, or configure a store"
            ),
            Self::Value(source) => write!(f, "the value does not serialize: {source}"),
            Self::NotAnObject => f.write_str("a session is a JSON object; wrap the value in a struct or a map"),
            Self::ReservedMember => {
                // Wire format, section 3.1.
                f.write_str(
                    "the member \"~\" is reserved: where it stands it is an object, its `flash`, `errors` and `input` are \
                     objects, and its `server_only` is a list of texts; choose another name",
                )
            }
            Self::Unreadable { problem } => write!(f, "the value would not be read back as it was: {problem}"),
            Self::Lifetime { asked_seconds, most_seconds } => {
                write!(f, "a session may last from 1 to {most_seconds} s, {asked_seconds} s were asked for")
            }
            Self::NoSealingKey => f.write_str(NO_SEALING_KEY),
            Self::Random(source) => source.fmt(f),
        }
    }
}

impl Error for SealError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Value(source) => Some(source),
            Self::Random(source) => Some(source),
            _ => None,
        }
    }
}

impl From<RandomError> for SealError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

/// Why a session could not be loaded, although its cookie is good. Never to be taken for a logged-out user.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The server store did not answer.
    Store(StoreError),
    /// The server store answers with an older state of the session than the client has seen.
    Stale,
    /// The session that was to be read again has ended.
    Ended,
    /// The session that was to be read again belongs to a request that is over.
    RequestOver,
}

impl LoadError {
    /// The status that an adapter answers with, body empty: 503 for the store, 409 for a session that has ended, 500 for a
    /// request that is over.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        match self {
            Self::Store(_) | Self::Stale => 503,
            Self::Ended => 409,
            Self::RequestOver => 500,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(source) => write!(f, "the session could not be loaded: {source}"),
            Self::Stale => f.write_str(
                "the session could not be loaded: the store holds an older version than the cookie has seen; is it a \
                 lagging replica or a restored backup?",
            ),
            Self::Ended => f.write_str("the session could not be read again: it has ended; begin a new request"),
            Self::RequestOver => f.write_str(
                "the session could not be read again: its request is over; open it with `SessionManager::read_only`",
            ),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(source) => Some(source),
            Self::Stale | Self::Ended | Self::RequestOver => None,
        }
    }
}

impl From<StoreError> for LoadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Why a session was not written. The client keeps the cookie that it has, and nothing is half-written.
#[derive(Debug)]
#[non_exhaustive]
pub enum CommitError {
    /// The server store did not answer.
    Store(StoreError),
    /// Another request wrote the same session in between, and a change of this one does not fit what it wrote.
    Conflict,
    /// The session fits neither the cookie nor, where there is one, the store.
    TooLarge {
        /// Bytes of JSON that were to be written.
        payload_bytes: usize,
        /// Most bytes that can be written.
        payload_max_bytes: usize,
        /// The largest top-level keys, each with its bytes of JSON, the largest first.
        largest_keys: Vec<(String, usize)>,
    },
    /// No key of the ring seals now.
    NoSealingKey,
    /// No id or nonce could be drawn.
    Random(RandomError),
    /// The request of the session is over: nothing would carry its cookie.
    Abandoned,
}

impl CommitError {
    /// The status that an adapter answers with, body empty: 503 for the store, 409 for a conflict, 500 otherwise.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        match self {
            Self::Store(_) => 503,
            Self::Conflict => 409,
            Self::TooLarge { .. } | Self::NoSealingKey | Self::Random(_) | Self::Abandoned => 500,
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(source) => write!(f, "the session was not written: {source}"),
            Self::Conflict => {
                f.write_str("the session was not written: another request wrote it in between; repeat the request")
            }
            Self::TooLarge { payload_bytes, payload_max_bytes, largest_keys } => {
                write!(
                    f,
                    "the session was not written: {payload_bytes} bytes of JSON do not fit, {payload_max_bytes} are the most"
                )?;
                for (position, (key, bytes)) in largest_keys.iter().enumerate() {
                    let lead = if position == 0 { "; largest keys: " } else { ", " };
                    write!(f, "{lead}\"{key}\" {bytes} bytes")?;
                }
                Ok(())
            }
            Self::NoSealingKey => write!(f, "the session was not written: {NO_SEALING_KEY}"),
            Self::Random(source) => write!(f, "the session was not written: {source}"),
            Self::Abandoned => {
                f.write_str("the session was not written: its request is over; write before the response is sent")
            }
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(source) => Some(source),
            Self::Random(source) => Some(source),
            Self::Conflict | Self::TooLarge { .. } | Self::NoSealingKey | Self::Abandoned => None,
        }
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<RandomError> for CommitError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

/// Why a server store did not answer a call.
///
/// A missing record, a taken id and a version that has moved on are answers, not errors.
///
/// ```
/// use sealed_session::store::StoreError;
///
/// let error = StoreError::unavailable("redis", std::io::Error::other("connection refused"));
/// assert_eq!(error.to_string(), "redis: not reachable: connection refused");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine is not reachable, or refused to serve.
    Unavailable {
        /// Name of the store.
        store: &'static str,
        /// What its driver says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The engine did not answer in time.
    Timeout {
        /// Name of the store.
        store: &'static str,
        /// Milliseconds that were waited.
        waited_milliseconds: u64,
    },
    /// The engine holds something that is not a record.
    Corrupt {
        /// Name of the store.
        store: &'static str,
        /// What is wrong with it; never its bytes.
        problem: String,
    },
    /// Anything else.
    Other {
        /// Name of the store.
        store: &'static str,
        /// What its driver says.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// The engine is not reachable, or refused to serve.
    pub fn unavailable(store: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { store, source: source.into() }
    }

    /// Anything else that an engine's driver reports.
    pub fn other(store: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other { store, source: source.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { store, source } => write!(f, "{store}: not reachable: {source}"),
            Self::Timeout { store, waited_milliseconds } => {
                write!(f, "{store}: no answer within {waited_milliseconds} ms")
            }
            Self::Corrupt { store, problem } => write!(f, "{store}: not a record: {problem}"),
            Self::Other { store, source } => write!(f, "{store}: {source}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::Other { source, .. } => Some(source.as_ref()),
            Self::Timeout { .. } | Self::Corrupt { .. } => None,
        }
    }
}

/// The operating system gave no random bytes. There is no other source to fall back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RandomError;

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system's random source failed; nothing was sealed")
    }
}

impl std::error::Error for RandomError {}
