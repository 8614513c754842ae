//! `sealed-session inspect`

mod text;

use clap::Args;
use sealed_session::operator::{EnvelopeFacts, Inspection};
use sealed_session::sealer::Sealer;
use sealed_session::{Clock as _, Reason, SystemClock, Timestamp};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::lifetimes::LifetimeArguments;
use crate::sealer::{self, SealerArguments};
use crate::{cookie_value, output};

pub(crate) use text::size_rows;

const AFTER: &str = "\
Reads one cookie value from standard input, alone or in a `Cookie` or
`Set-Cookie` line, and shows what it says of itself, also when it is no session
any more. The data is never shown, only the names and sizes of its members.

Without --keys it shows what everyone can read: version of the format, key id,
sizes. With --keys it also shows the header (kind, times, id for logs), what the
key does now, and which rule refuses the cookie now, if one does. Give the
timeouts of your application where they are not the defaults: they take part in
that judgement. A duration is written as 90s, 10m, 2h or 30days.

With --json one JSON object on one line:

  version, key_id, value_characters, envelope_bytes, plaintext_bytes
  inspection       with --keys, null where nothing of the cookie can be believed:
    refused        reason code, such as expired_idle; null for a session
    kind           \"inline\", or \"reference\" when the data is in a server store
    created, issued, expires, ends
                   birth of the session, this sealing, end of the idle lifetime
                   as sealed, end by today's timeouts; in RFC 3339
    browser_session, own_lifetime, public_id, reseal_due, least_version
    key            suite, state, next_change, seal_from, seal_until, open_until,
                   open_only
    payload_bytes, keys, own_keys
                   bytes of JSON, in all and by member; own_keys are those of
                   the library's own member \"~\"

Example:
  printf %s \"$COOKIE\" |
    sealed-session inspect --keys session.keys --audience example-app/prod

Exit codes:
  0  done, and with --keys: the cookie is a session now
  1  refused: the reason code stands on standard error, and what is known of the
     cookie on standard output
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sealer: SealerArguments,

    #[command(flatten)]
    lifetimes: LifetimeArguments,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let builder = arguments.sealer.builder()?.map(|builder| arguments.lifetimes.configure(builder));
    let sealer = builder.map(sealer::build).transpose()?;
    let input = cookie_value::read()?;
    let text = cookie_value::find(&input, &arguments.sealer.cookie_name)?;
    let answer = Answer::of(text, sealer.as_ref(), SystemClock.now())?;
    output::line(&if arguments.json { answer.json().to_string() } else { answer.text() })?;
    answer.refused.map_or(Ok(()), |reason| Err(Failure::Refused(reason)))
}

/// What is known of a cookie.
struct Answer {
    facts: EnvelopeFacts,
    /// With keys, and for what is authentic, alone.
    inspection: Option<Inspection>,
    has_keys: bool,
    refused: Option<Reason>,
}

impl Answer {
    fn of(text: &str, sealer: Option<&Sealer>, now: Timestamp) -> Result<Self, Failure> {
        let facts = EnvelopeFacts::read(text).map_err(Failure::Refused)?;
        let inspection = sealer.map(|sealer| sealer.inspect(text, now));
        let unread = facts.key_id.is_none().then_some(Reason::UnknownVersion);
        let (inspection, refused) = match inspection {
            Some(Ok(inspection)) => {
                let refused = inspection.refused;
                (Some(inspection), refused)
            }
            Some(Err(reason)) => (None, Some(reason)),
            None => (None, unread),
        };
        Ok(Self { facts, inspection, has_keys: sealer.is_some(), refused })
    }

    fn json(&self) -> Value {
        let facts = &self.facts;
        let mut object = Map::from_iter([
            ("version".to_owned(), json!(facts.version)),
            ("key_id".to_owned(), json!(facts.key_id.map(|id| id.to_string()))),
            ("value_characters".to_owned(), json!(facts.value_characters)),
            ("envelope_bytes".to_owned(), json!(facts.envelope_bytes)),
            ("plaintext_bytes".to_owned(), json!(facts.plaintext_bytes)),
        ]);
        if self.has_keys {
            object.insert("inspection".to_owned(), self.inspection.as_ref().map_or(Value::Null, inspection_json));
        }
        Value::Object(object)
    }
}

fn inspection_json(inspection: &Inspection) -> Value {
    let key = &inspection.key;
    let time = |instant: Option<Timestamp>| instant.map(Timestamp::to_rfc3339);
    json!({
        "refused": inspection.refused.map(Reason::as_str),
        "kind": if inspection.least_version.is_some() { "reference" } else { "inline" },
        "created": inspection.created.to_rfc3339(),
        "issued": inspection.issued.to_rfc3339(),
        "expires": inspection.expires.to_rfc3339(),
        "ends": inspection.ends.to_rfc3339(),
        "browser_session": inspection.is_browser_session,
        "own_lifetime": inspection.has_own_lifetime,
        "public_id": inspection.public_id.to_string(),
        "reseal_due": inspection.reseal_due,
        "least_version": inspection.least_version,
        "key": {
            "suite": key.suite.name(),
            "state": key.state.as_str(),
            "next_change": time(key.next_change),
            "seal_from": time(key.seal_from),
            "seal_until": time(key.seal_until),
            "open_until": time(key.open_until),
            "open_only": key.open_only,
        },
        "payload_bytes": inspection.payload_bytes,
        "keys": sizes_json(&inspection.keys),
        "own_keys": sizes_json(&inspection.own_keys),
    })
}

/// Members by name and size, as a list: their order is part of what is said.
pub(crate) fn sizes_json(sizes: &[(String, usize)]) -> Value {
    sizes.iter().map(|(name, bytes)| json!({ "name": name, "bytes": bytes })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../../tests/vectors/sealed_session_v1.json")).unwrap()
    }

    fn sealer(vectors: &Value, suite: &Value) -> Sealer {
        let [key, name, audience] =
            [&suite["key_text"], &vectors["cookie_name"], &vectors["audience"]].map(|text| text.as_str().unwrap());
        let key = sealed_session::Key::from_text(key).unwrap();
        Sealer::builder(key).cookie_name(name).audience(audience).build().unwrap()
    }

    #[test]
    fn every_known_cookie_says_its_header_and_no_refused_one_passes() {
        let vectors = vectors();
        let now = Timestamp::from_unix_seconds(vectors["now"].as_u64().unwrap());
        for suite in vectors["suites"].as_array().unwrap() {
            let sealer = sealer(&vectors, suite);
            for cookie in suite["cookies"].as_array().unwrap() {
                let answer = Answer::of(cookie["text"].as_str().unwrap(), Some(&sealer), now).unwrap();
                let json = answer.json();
                assert_eq!(answer.refused, None, "{}", cookie["what"]);
                let created = Timestamp::from_unix_seconds(vectors["created"].as_u64().unwrap());
                assert_eq!(json["inspection"]["created"], created.to_rfc3339());
                assert_eq!(json["inspection"]["public_id"], vectors["public_id"]);
                assert_eq!(json["inspection"]["key"]["state"], "sealing");
            }
            for cookie in suite["refused"].as_array().unwrap() {
                let reason = match Answer::of(cookie["text"].as_str().unwrap(), Some(&sealer), now) {
                    Ok(answer) => answer.refused.unwrap().as_str().to_owned(),
                    Err(failure) => failure.to_string().trim_end().to_owned(),
                };
                assert_eq!(reason, cookie["reason"].as_str().unwrap(), "{}", cookie["what"]);
            }
        }
    }

    #[test]
    fn neither_form_of_the_answer_shows_a_value() {
        let sealer = Sealer::builder(sealed_session::Key::generate().unwrap()).build().unwrap();
        let now = Timestamp::from_unix_seconds(1_795_000_000);
        let payload = json!({ "user": "correct-horse", "~": { "flash": { "notice": "battery" } } });
        let answer = Answer::of(&sealer.seal(&payload, now).unwrap(), Some(&sealer), now).unwrap();
        for text in [answer.json().to_string(), answer.text()] {
            assert!(text.contains("user") && text.contains("flash"), "{text}");
            assert!(!text.contains("horse") && !text.contains("battery"), "{text}");
        }
    }
}
