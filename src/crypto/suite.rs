use std::fmt;

/// The cipher of a key. It belongs to the key; it is never read from a message and never negotiated.
///
/// Both take random 192-bit nonces, so any number of servers may seal under one key without counting.
///
/// ```
/// use sealed_session::Suite;
///
/// assert_eq!(Suite::from_name("xaes"), Some(Suite::Xaes));
/// assert_eq!(Suite::XChaCha.name(), "xchacha");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// XAES-256-GCM (C2SP XAES-256-GCM v1.0): the faster one where the processor has AES instructions.
    Xaes,
    /// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the faster one everywhere else.
    XChaCha,
}

impl Suite {
    /// The suite's number in the wire format.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Xaes => 1,
            Self::XChaCha => 2,
        }
    }

    /// The suite's name in the text form of a key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xaes => "xaes",
            Self::XChaCha => "xchacha",
        }
    }

    /// The suite of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Xaes, Self::XChaCha].into_iter().find(|suite| suite.name() == name)
    }

    /// The suite that is faster on this machine: [`Suite::Xaes`] where AES runs in hardware.
    #[must_use]
    pub fn fastest_here() -> Self {
        if aes::hardware_accelerated() { Self::Xaes } else { Self::XChaCha }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
