use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::text;
use crate::crypto::{Aead, Prk, Suite, constant_time_equal, random};
use crate::error::KeyError;
use crate::id::{KeyId, SessionId};

const CONTEXT: &[u8] = b"sealed-session/v1";

/// A key: 32 random bytes and a [`Suite`], with everything that is derived from them.
///
/// A clone shares the same memory, which is wiped when the last one is dropped. (Best effort: Rust moves
/// values over the stack, and what stood there may come to the heap again in the unused bytes of another value.) A key has no `Display` and no `Serialize`, and its `Debug` shows its public id alone:
///
/// ```compile_fail
/// # let key = sealed_session::Key::generate().unwrap();
/// println!("{key}");
/// ```
/// ```compile_fail
/// # let key = sealed_session::Key::generate().unwrap();
/// let _ = serde_json::to_string(&key);
/// ```
/// ```compile_fail
/// fn copied<T: Copy>() {}
/// copied::<sealed_session::Key>();
/// ```
///
/// ```
/// use sealed_session::Key;
///
/// let key = Key::generate()?;
/// let text = key.to_secret_text();
/// assert_eq!(Key::from_text(&text)?, key);
/// assert!(!format!("{key:?}").contains(&text[23..]));
/// # Ok::<(), sealed_session::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Key(Arc<Material>);

struct Material {
    suite: Suite,
    secret: Zeroizing<[u8; 32]>,
    id: KeyId,
    cookie: Aead,
    record: Prk,
    csrf: Zeroizing<[u8; 32]>,
    marker: Zeroizing<[u8; 32]>,
}

impl Key {
    /// A new random key, of the suite that is faster on this machine.
    ///
    /// ```
    /// use sealed_session::Key;
    ///
    /// assert_ne!(Key::generate()?, Key::generate()?);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] when the operating system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_with(Suite::fastest_here())
    }

    /// A new random key of this suite.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// assert_eq!(Key::generate_with(Suite::XChaCha)?.suite(), Suite::XChaCha);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] when the operating system gives no random bytes.
    pub fn generate_with(suite: Suite) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice())?;
        Self::from_bytes(suite, secret.as_slice())
    }

    /// A key from its 32 secret bytes.
    ///
    /// ```
    /// use sealed_session::{Key, KeyError, Suite};
    ///
    /// assert_eq!(Key::from_bytes(Suite::Xaes, &[7; 32]), Err(KeyError::ArithmeticSequence));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule when the bytes are not 32, or not drawn at random: 16 or fewer distinct
    /// values, all printable ASCII, counting in equal steps, or printed in this documentation.
    pub fn from_bytes(suite: Suite, secret: &[u8]) -> Result<Self, KeyError> {
        check_strength(secret).map(|secret| Self::derive(suite, secret))
    }

    /// A key from one of its text forms; white space around it is dropped.
    ///
    /// `ssk1.<suite>.<key id>.<secret>` checks itself. `hex:`, `base64:` and `base64url:` take 32 raw bytes, as
    /// `openssl rand` prints them, for [`Suite::Xaes`].
    ///
    /// ```
    /// use sealed_session::{Key, KeyError};
    ///
    /// // No prefix: refused, never guessed.
    /// assert_eq!(Key::from_text("correct horse battery staple"), Err(KeyError::UnknownPrefix));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule and never the value.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        Self::from_text_with(text, Suite::Xaes)
    }

    /// As [`Key::from_text`], with the suite for the three raw forms, which name none.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// let key = Key::generate_with(Suite::XChaCha)?;
    /// let text = key.to_secret_text();
    /// let raw = format!("base64url:{}", text.rsplit('.').next().unwrap());
    /// assert_eq!(Key::from_text_with(&raw, Suite::XChaCha)?, key);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that names the rule and never the value.
    pub fn from_text_with(text: &str, suite_of_raw_forms: Suite) -> Result<Self, KeyError> {
        let parsed = text::parse(text)?;
        let key = Self::from_bytes(parsed.suite.unwrap_or(suite_of_raw_forms), parsed.secret.as_slice())?;
        match parsed.key_id {
            Some(id) if id != key.id() => Err(KeyError::KeyIdMismatch),
            _ => Ok(key),
        }
    }

    /// The self-checking text form, `ssk1.<suite>.<key id>.<secret>`: **the secret itself**, for a key file.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// let text = Key::generate_with(Suite::Xaes)?.to_secret_text();
    /// assert!(text.starts_with("ssk1.xaes."));
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        text::write(self.0.suite, &self.0.id, &self.0.secret)
    }

    /// The public name of this key.
    ///
    /// ```
    /// use sealed_session::Key;
    ///
    /// let key = Key::generate()?;
    /// assert_eq!(key.id().to_string().len(), 11);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The cipher of this key.
    ///
    /// ```
    /// use sealed_session::{Key, Suite};
    ///
    /// assert_eq!(Key::generate_with(Suite::Xaes)?.suite(), Suite::Xaes);
    /// # Ok::<(), sealed_session::KeyError>(())
    /// ```
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.0.suite
    }

    /// Wire format, section 1: `sub(l, n) = Expand(PRK, u8(suite) ‖ lp8(l) ‖ u16(n), n)`.
    fn derive(suite: Suite, secret: &[u8; 32]) -> Self {
        let prk = Prk::extract(CONTEXT, secret);
        let number = [suite.number()];
        let sub = |label| prk.expand_labelled::<32>(&number, label, [&[], &[]]);
        Self(Arc::new(Material {
            suite,
            secret: Zeroizing::new(*secret),
            id: KeyId::from_bytes(*prk.expand_labelled(&number, "kid", [&[], &[]])),
            cookie: Aead::new(suite, &sub("cookie")),
            record: Prk::from_uniform(&sub("record")),
            csrf: sub("csrf"),
            marker: sub("marker"),
        }))
    }

    /// The cipher for cookies.
    pub(crate) fn cookie_cipher(&self) -> &Aead {
        &self.0.cookie
    }

    /// The cipher for the record of one session: wire format, section 6.
    pub(crate) fn record_cipher(&self, session: &SessionId) -> Aead {
        let record_key = self.0.record.expand_labelled::<32>(&[], "record-key", [session.as_bytes(), &[]]);
        Aead::new(self.0.suite, &record_key)
    }

    /// The key for CSRF tokens.
    pub(crate) fn csrf_key(&self) -> &[u8; 32] {
        &self.0.csrf
    }

    /// Makes the markers of sessions that a browser has left.
    pub(crate) fn marker_key(&self) -> &[u8; 32] {
        &self.0.marker
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_text(text)
    }
}

impl PartialEq for Key {
    // Security: constant time, although both sides are ours: a comparison with a secret is written only one way.
    fn eq(&self, other: &Self) -> bool {
        self.0.suite == other.0.suite && constant_time_equal(self.0.secret.as_slice(), other.0.secret.as_slice())
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("suite", &self.0.suite).field("id", &self.0.id).finish_non_exhaustive()
    }
}

// Secrets that are refused: wire format, section 1. Every holder of a cookie has an offline oracle for a guessable key.

/// Fewer different byte values than this, and 32 bytes were not drawn at random: of 2^80 random secrets about one is refused.
const LEAST_DISTINCT_BYTES: usize = 17;

/// Secrets that stand in this crate's documentation and trip none of the other rules.
const DOCUMENTED: &[[u8; 32]] = &[];

/// Takes a secret that may have been drawn at random.
// Security: the outcome tells that a weak secret is weak, and the time tells no more; a secret that passes takes the
// same steps whatever its bytes.
fn check_strength(secret: &[u8]) -> Result<&[u8; 32], KeyError> {
    let secret: &[u8; 32] = secret.try_into().map_err(|_| KeyError::SecretLength { found_bytes: secret.len() })?;
    if is_arithmetic_sequence(secret) {
        return Err(KeyError::ArithmeticSequence);
    }
    if secret.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return Err(KeyError::Printable);
    }
    let distinct = distinct_bytes(secret);
    if distinct < LEAST_DISTINCT_BYTES {
        return Err(KeyError::FewDistinctBytes { distinct });
    }
    if DOCUMENTED.contains(secret) {
        return Err(KeyError::Documented);
    }
    Ok(secret)
}

fn distinct_bytes(secret: &[u8; 32]) -> usize {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

fn is_arithmetic_sequence(secret: &[u8; 32]) -> bool {
    let [first, second, ..] = *secret;
    let step = second.wrapping_sub(first);
    secret.iter().zip(secret.iter().skip(1)).all(|(left, right)| right.wrapping_sub(*left) == step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::failing;

    #[test]
    fn debug_shows_the_id_and_nothing_of_the_secret() {
        let key = Key::generate().unwrap();
        let shown = format!("{key:?} {:?}", KeyError::KeyIdMismatch);
        assert!(shown.contains(&key.id().to_string()));
        let text = key.to_secret_text();
        let secret = text.rsplit('.').next().unwrap();
        for start in 0..secret.len() - 6 {
            assert!(!shown.contains(&secret[start..start + 6]));
        }
    }

    #[test]
    fn keys_are_equal_when_suite_and_secret_are() {
        let secret: [u8; 32] = std::array::from_fn(|i| (i * i * 5 % 251) as u8);
        let key = Key::from_bytes(Suite::Xaes, &secret).unwrap();
        assert_eq!(key, Key::from_bytes(Suite::Xaes, &secret).unwrap());
        assert_ne!(key, Key::from_bytes(Suite::XChaCha, &secret).unwrap());
        let mut other = secret;
        other[31] ^= 1;
        assert_ne!(key, Key::from_bytes(Suite::Xaes, &other).unwrap());
    }

    #[test]
    fn two_generated_keys_differ() {
        assert_ne!(Key::generate().unwrap(), Key::generate().unwrap());
    }

    #[test]
    fn without_random_bytes_there_is_no_key() {
        assert!(matches!(failing::during(Key::generate), Err(KeyError::Random(_))));
    }

    #[test]
    fn the_key_id_is_checked_against_the_secret_and_the_suite() {
        let text = Key::generate_with(Suite::Xaes).unwrap().to_secret_text();
        let other_suite = text.replacen("xaes", "xchacha", 1);
        assert_eq!(Key::from_text(&other_suite), Err(KeyError::KeyIdMismatch));
    }
}

#[cfg(test)]
mod weakness_tests {
    use super::*;

    fn random_looking() -> [u8; 32] {
        std::array::from_fn(|i| (i as u8).wrapping_mul(i as u8).wrapping_mul(7).wrapping_add(i as u8 * 3) ^ 0xa5)
    }

    #[test]
    fn a_random_secret_is_taken() {
        assert_eq!(check_strength(&random_looking()), Ok(&random_looking()));
    }

    #[test]
    fn any_other_length_than_32_is_refused_and_named() {
        for length in [0, 16, 31, 33, 64] {
            assert_eq!(check_strength(&vec![7; length]), Err(KeyError::SecretLength { found_bytes: length }));
        }
    }

    #[test]
    fn sixteen_distinct_bytes_are_too_few_and_seventeen_are_enough() {
        let exactly = |distinct: usize| -> [u8; 32] { std::array::from_fn(|i| ((i % distinct) * 15) as u8) };
        assert_eq!(check_strength(&exactly(16)), Err(KeyError::FewDistinctBytes { distinct: 16 }));
        assert!(check_strength(&exactly(17)).is_ok());
    }

    #[test]
    fn a_passphrase_is_refused() {
        assert_eq!(check_strength(b"correct horse battery staple! 42"), Err(KeyError::Printable));
    }

    #[test]
    fn one_byte_outside_of_printable_ascii_is_no_passphrase() {
        assert!(check_strength(b"Sphinx of black quartz, judge m\x80").is_ok());
    }

    #[test]
    fn equal_steps_are_refused_upwards_downwards_and_standing() {
        for step in [0u8, 1, 2, 7, 255, 128] {
            let secret: [u8; 32] = std::array::from_fn(|i| (i as u8).wrapping_mul(step).wrapping_add(9));
            assert_eq!(check_strength(&secret), Err(KeyError::ArithmeticSequence), "step {step}");
        }
    }
}
