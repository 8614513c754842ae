//! A look at a cookie that need not be a session: for operators and their tools.

use serde_json::{Map, Value};

use super::envelope::{Authentic, with_scratch};
use super::opened::check_payload;
use super::{Sealer, longest_readable_text};
use crate::clock::Timestamp;
use crate::error::Reason;
use crate::id::{KeyId, PublicId};
use crate::json::shape::member_sizes;
use crate::key::KeyStatus;
use crate::limits::COOKIE_NAME_AND_VALUE_MAX_BYTES;
use crate::wire::{ENVELOPE_OVERHEAD, Envelope, Persistence, check_text_length, decode_text};

const RESERVED_MEMBER: &str = "~";

/// What an authentic cookie says of itself, whether it is a session or not. There is no way from here to its data.
///
/// The names of the data's members are shown, as they are by the errors about its size: an application that makes a name
/// of something secret must keep what it logs of them to itself.
///
/// ```
/// use sealed_session::operator::KeyState;
/// use sealed_session::sealer::Sealer;
/// use sealed_session::{Key, Reason, Timestamp};
///
/// let sealer = Sealer::builder(Key::generate()?).build()?;
/// let now = Timestamp::from_unix_seconds(1_795_000_000);
/// let text = sealer.seal(&serde_json::json!({ "user": 42 }), now)?;
///
/// let tomorrow = now.saturating_add_seconds(86_400);
/// assert!(sealer.open(&text, tomorrow).is_err());
/// let inspection = sealer.inspect(&text, tomorrow)?;
/// assert_eq!(inspection.refused, Some(Reason::ExpiredIdle));
/// assert_eq!(inspection.ends, now.saturating_add_seconds(7200));
/// assert_eq!(inspection.key.state, KeyState::Sealing);
/// assert_eq!(inspection.keys, [("user".to_owned(), 9)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// What is readable without a key.
    pub envelope: EnvelopeFacts,
    /// Why [`Sealer::open`] refuses the cookie at this instant; `None` when it does not. A store may refuse more: a record
    /// that is missing, or data in the cookie where all of it has to be in the store.
    pub refused: Option<Reason>,
    /// The key that sealed it, at this instant.
    pub key: KeyStatus,
    /// A newer key seals today: the session's next navigation gives it a cookie under that one.
    pub reseal_due: bool,
    /// The session's id for logs.
    pub public_id: PublicId,
    /// Whether the cookie ends with the browser.
    pub is_browser_session: bool,
    /// Whether the session has a lifetime of its own, asked for with `remember`.
    pub has_own_lifetime: bool,
    /// Birth of the session.
    pub created: Timestamp,
    /// When this cookie was sealed.
    pub issued: Timestamp,
    /// End of the idle lifetime, as it was sealed.
    pub expires: Timestamp,
    /// The first second in which it is too old, by the sealed times and by today's timeouts. Its key may end it earlier.
    pub ends: Timestamp,
    /// The least version of its record; `None` for an inline cookie.
    pub least_version: Option<u64>,
    /// Bytes of the JSON in the cookie; `None` for a reference, whose data is in the server store.
    pub payload_bytes: Option<usize>,
    /// Bytes of each top-level member with its name, the largest first. `"~"` is the crate's own.
    pub keys: Vec<(String, usize)>,
    /// Bytes of each member of `"~"`, the largest first: flash messages, errors, old input.
    pub own_keys: Vec<(String, usize)>,
}

impl Sealer {
    /// Looks at a cookie value as [`Sealer::open`] does, and goes on where a time or a key's window refuses, so that an
    /// operator sees which one.
    ///
    /// What comes back is no session, and nothing is to be granted by it. It is not counted as a use of the key.
    ///
    /// # Errors
    ///
    /// The [`Reason`] for which nothing of the cookie can be believed: no envelope, another version, no such key in the
    /// ring, or not authentic.
    // Security: the same decoder, look-up and authentication as for a session. Only what `open` would judge afterwards is
    // told and not acted upon, and no payload leaves.
    pub fn inspect(&self, text: &str, now: Timestamp) -> Result<Inspection, Reason> {
        let length = check_text_length(text.as_bytes(), longest_readable_text(&self.cookie_name))?;
        with_scratch(length, |bytes| self.inspect_in(text, bytes, now)).unwrap_or(Err(Reason::Malformed))
    }

    fn inspect_in(&self, text: &str, bytes: &mut [u8], now: Timestamp) -> Result<Inspection, Reason> {
        decode_text(text.as_bytes(), bytes)?;
        let envelope = Envelope::parse(bytes)?;
        let key_id = envelope.key_id;
        let ring = self.ring.load();
        let slot = ring.find(&key_id).ok_or(Reason::UnknownKey)?;
        let key = ring.statuses(&self.rotation, now).find(|status| status.key_id == key_id);
        let key = key.ok_or(Reason::UnknownKey)?;
        let Authentic { header, payload, least_version } = self.authenticate(envelope, slot.key())?;
        let payload = least_version.is_none().then_some(payload);
        let valid = self
            .check_key(slot, now)
            .and_then(|()| self.check_times(&header, (&ring, slot), now))
            .and_then(|()| payload.map_or(Ok(()), check_payload));
        let members: Map<String, Value> =
            payload.and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
        let own_keys = members.get(RESERVED_MEMBER).and_then(Value::as_object).map(member_sizes);
        Ok(Inspection {
            envelope: EnvelopeFacts::read(text)?,
            refused: valid.err(),
            reseal_due: ring.is_superseded(&key_id, now),
            key,
            public_id: header.id.public_id(&self.audience),
            is_browser_session: header.persistence == Persistence::BrowserSession,
            has_own_lifetime: header.persistence == Persistence::OwnLifetime,
            created: header.created,
            issued: header.issued,
            expires: header.expires,
            ends: self.lifetimes.end(&header),
            least_version,
            payload_bytes: payload.map(<[u8]>::len),
            keys: member_sizes(&members),
            own_keys: own_keys.unwrap_or_default(),
        })
    }
}

/// What everyone can read of a cookie value, without a key. None of it is authentic: whoever sent the cookie chose it.
///
/// ```
/// use sealed_session::operator::EnvelopeFacts;
/// use sealed_session::sealer::Sealer;
/// use sealed_session::{Key, Timestamp};
///
/// let key = Key::generate()?;
/// let text = Sealer::builder(key.clone()).build()?.seal(&serde_json::json!({}), Timestamp::default())?;
///
/// let facts = EnvelopeFacts::read(&text)?;
/// assert_eq!((facts.version, facts.key_id), (1, Some(key.id())));
/// assert_eq!((facts.value_characters, facts.plaintext_bytes), (text.len(), Some(64)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeFacts {
    /// Version of the wire format; this crate reads 1.
    pub version: u8,
    /// The key that it names; `None` for another version, which may have it elsewhere.
    pub key_id: Option<KeyId>,
    /// Characters of the value.
    pub value_characters: usize,
    /// Bytes that the value encodes.
    pub envelope_bytes: usize,
    /// Bytes that are encrypted, header and padding included; `None` for another version.
    pub plaintext_bytes: Option<usize>,
}

impl EnvelopeFacts {
    /// Reads the outside of a cookie's value: wire format, section 4, steps 1 to 3. Another version is no error here.
    ///
    /// # Errors
    ///
    /// [`Reason::Malformed`] for what is no envelope of any version.
    pub fn read(text: &str) -> Result<Self, Reason> {
        let envelope_bytes = check_text_length(text.as_bytes(), COOKIE_NAME_AND_VALUE_MAX_BYTES)?;
        let mut bytes = vec![0; envelope_bytes];
        decode_text(text.as_bytes(), &mut bytes)?;
        let version = bytes.first().copied().ok_or(Reason::Malformed)?;
        let (key_id, plaintext_bytes) = match Envelope::parse(&mut bytes) {
            Ok(envelope) => (Some(envelope.key_id), Some(envelope_bytes.saturating_sub(ENVELOPE_OVERHEAD))),
            Err(Reason::UnknownVersion) => (None, None),
            Err(reason) => return Err(reason),
        };
        Ok(Self { version, key_id, value_characters: text.len(), envelope_bytes, plaintext_bytes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::{array, option};
    use serde_json::json;

    use super::*;
    use crate::id::SessionId;
    use crate::key::{Key, KeyRing, KeyState, RingEntry};
    use crate::seal::{Lifetimes, SealerBuilder};
    use crate::wire::{Header, Kind};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

    fn later(seconds: u64) -> Timestamp {
        NOW.saturating_add_seconds(seconds)
    }

    fn sealer(key: &Key, change: impl FnOnce(RingEntry) -> RingEntry) -> SealerBuilder {
        let other = RingEntry::new(Key::generate().unwrap()).seal_from(later(1_000_000));
        Sealer::builder(KeyRing::from_entries([other, change(RingEntry::new(key.clone()))]).unwrap())
    }

    /// That both doors say the same of a cookie of this instant, at that one.
    #[track_caller]
    fn assert_refused(sealer: &Sealer, text: &str, at: Timestamp, expected: Option<Reason>) -> Inspection {
        let inspection = sealer.inspect(text, at).unwrap();
        assert_eq!(inspection.refused, expected);
        assert_eq!(sealer.open(text, at).err(), expected);
        inspection
    }

    #[test]
    fn a_session_and_what_is_none_any_more_say_the_same_of_themselves() {
        let key = Key::generate().unwrap();
        let sealer = sealer(&key, |entry| entry).build().unwrap();
        let text = sealer.seal(&json!({ "a": 1 }), NOW).unwrap();
        let session = assert_refused(&sealer, &text, later(7199), None);
        let expired = assert_refused(&sealer, &text, later(7200), Some(Reason::ExpiredIdle));
        assert_eq!(Inspection { refused: None, ..expired }, session);
        assert_eq!(
            [session.created, session.issued, session.expires, session.ends],
            [NOW, NOW, later(7200), later(7200)]
        );
    }

    #[test]
    fn each_judgement_that_open_makes_after_authentication_is_told() {
        let key = Key::generate().unwrap();
        let text = sealer(&key, |entry| entry).build().unwrap().seal(&json!({}), NOW).unwrap();
        let at = later(3000);
        let cases = [
            (sealer(&key, |entry| entry.seal_until(NOW).open_until(at)), Some(Reason::KeyRetired), KeyState::Expired),
            (sealer(&key, |entry| entry.seal_from(later(61))), Some(Reason::KeyRetired), KeyState::Sealing),
            (sealer(&key, |entry| entry.seal_from(later(60))), None, KeyState::Sealing),
        ];
        for (sealer, refused, state) in cases {
            assert_eq!(assert_refused(&sealer.build().unwrap(), &text, at, refused).key.state, state);
        }
        let ring = KeyRing::new(key).with_not_before(later(1));
        let ended = Sealer::builder(ring).build().unwrap();
        assert_refused(&ended, &text, at, Some(Reason::Revoked));
        assert_eq!(ended.inspect(&text, NOW).unwrap().refused, None);
    }

    #[test]
    fn a_timeout_of_today_ends_it_earlier_than_what_is_sealed() {
        let key = Key::generate().unwrap();
        let text = sealer(&key, |entry| entry).build().unwrap().seal(&json!({}), NOW).unwrap();
        let lifetimes = Lifetimes::default().idle_timeout(std::time::Duration::from_secs(60));
        let short = sealer(&key, |entry| entry).lifetimes(lifetimes).build().unwrap();
        let inspection = assert_refused(&short, &text, later(60), Some(Reason::ExpiredIdle));
        assert_eq!((inspection.ends, inspection.expires), (later(60), later(7200)));
    }

    #[test]
    fn what_is_not_authentic_says_nothing() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let sealer = Sealer::builder(key.clone()).build().unwrap();
        let text = sealer.seal(&json!({}), NOW).unwrap();
        let inspect = |sealer: SealerBuilder, text: &str| sealer.build().unwrap().inspect(text, NOW).unwrap_err();
        assert_eq!(inspect(Sealer::builder(other), &text), Reason::UnknownKey);
        assert_eq!(inspect(Sealer::builder(key.clone()).audience("a"), &text), Reason::Unauthentic);
        assert_eq!(inspect(Sealer::builder(key.clone()).cookie_name("a"), &text), Reason::Unauthentic);
        assert_eq!(inspect(Sealer::builder(key.clone()), &format!("{}=", &text[1..])), Reason::Malformed);
        for position in [14, 50, text.len() - 5] {
            let mut changed = text.clone();
            changed.replace_range(position..=position, if &text[position..=position] == "A" { "B" } else { "A" });
            assert_eq!(inspect(Sealer::builder(key.clone()), &changed), Reason::Unauthentic, "{position}");
        }
    }

    proptest! {
        #[test]
        fn an_inspection_and_an_opening_never_disagree(
            [created, issued, expires] in array::uniform3(0..400_u64),
            persistence in 0..3_usize,
            (seal_from, seal_length, open_length) in (0..300_u64, 0..200_u64, 0..300_u64),
            (not_before, now) in (option::of(0..400_u64), 0..500_u64),
        ) {
            let persistence =
                [Persistence::IdleTimeout, Persistence::BrowserSession, Persistence::OwnLifetime][persistence];
            let key = Key::from_bytes(crate::crypto::Suite::XChaCha, &std::array::from_fn::<u8, 32, _>(|i| (i * i * 3 + 1) as u8));
            let key = key.unwrap();
            let header = Header {
                kind: Kind::Inline,
                persistence,
                id: SessionId::from_bytes([5; 16]),
                created: later(created),
                issued: later(issued),
                expires: later(expires),
            };
            let text = Sealer::builder(key.clone()).build().unwrap().seal_inline(crate::seal::CookieNonce::draw().unwrap(), &header, b"{}").unwrap();
            let entry = RingEntry::new(key)
                .seal_from(later(seal_from))
                .seal_until(later(seal_from + seal_length))
                .open_until(later(seal_from + seal_length + open_length));
            let ring = KeyRing::from_entries([entry]).unwrap();
            let ring = not_before.map_or(ring.clone(), |instant| ring.with_not_before(later(instant)));
            let seconds = std::time::Duration::from_secs;
            let lifetimes = Lifetimes::default().idle_timeout(seconds(60)).absolute_timeout(Some(seconds(200)));
            let sealer = Sealer::builder(ring).lifetimes(lifetimes).key_grace(seconds(30)).build().unwrap();
            let inspection = sealer.inspect(&text, later(now)).unwrap();
            prop_assert_eq!(inspection.refused, sealer.open(&text, later(now)).err());
            prop_assert!(inspection.refused.is_some() || later(now) < inspection.ends);
        }
    }

    #[test]
    fn an_inspection_is_no_use_of_the_key() {
        let key = Key::generate().unwrap();
        let sealer = Sealer::builder(key).build().unwrap();
        let text = sealer.seal(&json!({}), NOW).unwrap();
        sealer.inspect(&text, NOW).unwrap();
        sealer.inspect(&text, later(1_000_000_000)).unwrap();
        let report = &sealer.key_reports(NOW)[0];
        assert_eq!((report.opened, report.last_opened, report.refused.len()), (0, None, 0));
    }

    #[test]
    fn the_members_are_told_by_name_and_size_and_the_crates_own_among_themselves() {
        let sealer = Sealer::builder(Key::generate().unwrap()).build().unwrap();
        let payload = json!({ "cart": [1, 2], "u": 1, "~": { "flash": { "secret": "value" }, "input": {} } });
        let inspection = sealer.inspect(&sealer.seal(&payload, NOW).unwrap(), NOW).unwrap();
        let named = |sizes: &[(&str, usize)]| -> Vec<(String, usize)> {
            sizes.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
        };
        assert_eq!(inspection.keys, named(&[("~", 43), ("cart", 12), ("u", 5)]));
        assert_eq!(inspection.own_keys, named(&[("flash", 26), ("input", 10)]));
        let commas = inspection.keys.len() - 1;
        let sum: usize = inspection.keys.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(inspection.payload_bytes, Some(sum + commas + 2));
        assert!(!format!("{inspection:?}").contains("value\""));
        assert!(!format!("{inspection:?}").contains("secret"));
    }
}

#[cfg(test)]
mod envelope_facts_tests {
    use super::*;
    use crate::wire::encoded_text;

    #[test]
    fn an_envelope_of_another_version_says_its_version_and_its_length() {
        let mut bytes = [7; 100];
        bytes[0] = 2;
        let facts = EnvelopeFacts::read(&encoded_text(&bytes)).unwrap();
        assert_eq!((facts.version, facts.key_id, facts.plaintext_bytes), (2, None, None));
        assert_eq!((facts.value_characters, facts.envelope_bytes), (134, 100));
    }

    #[test]
    fn what_is_no_envelope_is_malformed() {
        for text in [String::new(), "A".repeat(109), "A".repeat(4097), "=".repeat(200), "é".repeat(100)] {
            assert_eq!(EnvelopeFacts::read(&text), Err(Reason::Malformed), "{text}");
        }
    }
}
