use std::fmt;

/// Why a CSRF token is not accepted. Adapters answer 403 to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfError {
    /// The request carries no token.
    Missing,
    /// The request carries no session that a token could belong to.
    NoSession,
    /// The token was not made for this session and scope.
    Mismatch,
}

impl CsrfError {
    /// The status that an adapter answers with: 403.
    #[must_use]
    pub const fn status_code(self) -> u16 {
        403
    }
}

impl fmt::Display for CsrfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the request carries no CSRF token; send the form's field or the header",
            Self::NoSession => "the request carries no session; load the form again",
            Self::Mismatch => "the CSRF token is not of this session and form; load the form again",
        })
    }
}

impl std::error::Error for CsrfError {}
