use std::error::Error;
use std::fmt;

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
