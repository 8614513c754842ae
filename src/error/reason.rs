use std::fmt;

/// Why a cookie, or the record behind it, is not a session.
///
/// For logs, metrics and tests. To the client every reason looks the same: it has no session.
///
/// ```
/// use sealed_session::Reason;
///
/// assert_eq!(Reason::ExpiredIdle.as_str(), "expired_idle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No cookie of our name.
    Absent,
    /// Not an envelope of ours: length, alphabet, padding, kind, flags or the order of the times.
    Malformed,
    /// An envelope of another version of the format.
    UnknownVersion,
    /// No key of the ring has this key id.
    UnknownKey,
    /// The key is known and may not open this any more.
    KeyRetired,
    /// Forged, altered, or sealed for another cookie name, audience or purpose.
    Unauthentic,
    /// Issued further in the future than clocks may differ.
    NotYetValid,
    /// Unused for longer than the idle timeout.
    ExpiredIdle,
    /// Older than the absolute timeout.
    ExpiredAbsolute,
    /// Ended by its user or an operator.
    Revoked,
    /// The server store has no record of it.
    RecordMissing,
    /// The server store has only an older record than the cookie demands.
    RecordStale,
    /// Several valid cookies of different sessions in one request.
    Ambiguous,
    /// The session was too large to be written.
    TooLarge,
    /// Authentic, and its payload is not one that this configuration takes.
    Payload,
}

impl Reason {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 15] = [
        Self::Absent,
        Self::Malformed,
        Self::UnknownVersion,
        Self::UnknownKey,
        Self::KeyRetired,
        Self::Unauthentic,
        Self::NotYetValid,
        Self::ExpiredIdle,
        Self::ExpiredAbsolute,
        Self::Revoked,
        Self::RecordMissing,
        Self::RecordStale,
        Self::Ambiguous,
        Self::TooLarge,
        Self::Payload,
    ];

    /// The reason code, stable for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownKey => "unknown_key",
            Self::KeyRetired => "key_retired",
            Self::Unauthentic => "unauthentic",
            Self::NotYetValid => "not_yet_valid",
            Self::ExpiredIdle => "expired_idle",
            Self::ExpiredAbsolute => "expired_absolute",
            Self::Revoked => "revoked",
            Self::RecordMissing => "record_missing",
            Self::RecordStale => "record_stale",
            Self::Ambiguous => "ambiguous",
            Self::TooLarge => "too_large",
            Self::Payload => "payload",
        }
    }
}

impl fmt::Display for Reason {
    /// The reason code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Reason {}
