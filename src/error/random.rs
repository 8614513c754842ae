use std::fmt;

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
