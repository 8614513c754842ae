//! `sealed-session open`

use std::str;

use clap::Args;
use sealed_session::sealer::{Opened, Sealer};
use sealed_session::{Clock as _, Reason, SystemClock, Timestamp};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::sealer::SealerArguments;
use crate::{input, output};

/// A cookie value has 4096 characters at most; the rest is room for white space around it.
const INPUT_MAX_BYTES: usize = 64 * 1024;

const AFTER: &str = "\
Reads one cookie value from standard input, white space around it aside, and
prints one JSON object on one line:

  kind             \"inline\", or \"reference\" when the data is in a server store
  browser_session  whether the cookie ends with the browser
  created, issued, expires
                   birth of the session, this sealing, end of the idle
                   lifetime, in RFC 3339
  key_id           the key that sealed it, as in the key's text form
  public_id        the session's id for logs
  payload          the data, the crate's own member \"~\" included; null for a
                   reference
  least_version    of a reference alone: the least record version it accepts

A cookie that is not a session now is refused: standard error begins with a line
of its reason code, such as expired_idle or unauthentic. Times are judged by the default timeouts, two hours idle and 30 days in all.

Example:
  printf %s \"$COOKIE\" |
    sealed-session open --keys session.keys --audience example-app/prod

Exit codes:
  0  done
  1  refused, or the answer could not be written
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER, mut_arg("keys", |keys| keys.required(true)))]
pub(crate) struct Arguments {
    #[command(flatten)]
    sealer: SealerArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let sealer = arguments.sealer.required()?;
    // What is longer than any cookie, or no text, is what the opening's first two steps would refuse.
    let input = input::standard_input(INPUT_MAX_BYTES)?.ok_or(Failure::Refused(Reason::Malformed))?;
    let text = str::from_utf8(input.trim_ascii()).map_err(|_| Failure::Refused(Reason::Malformed))?;
    output::line(&answer(&sealer, text, SystemClock.now())?)
}

/// What a cookie says at this instant, as JSON.
fn answer(sealer: &Sealer, text: &str, now: Timestamp) -> Result<String, Failure> {
    let opened = sealer.open(text, now).map_err(Failure::Refused)?;
    // As a server reads it: opening has refused what would be rounded there, or is nested too deep.
    let answer = Answer { payload: opened.payload(), opened };
    serde_json::to_string(&answer)
        .map_err(|error| Failure::NotDone(format!("the answer cannot be written as JSON: {error}")))
}

/// What is printed of an opened cookie.
struct Answer {
    opened: Opened,
    payload: Option<Map<String, Value>>,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let opened = &self.opened;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("kind", if opened.is_reference() { "reference" } else { "inline" })?;
        object.serialize_entry("browser_session", &opened.is_browser_session())?;
        object.serialize_entry("created", &opened.created().to_rfc3339())?;
        object.serialize_entry("issued", &opened.issued().to_rfc3339())?;
        object.serialize_entry("expires", &opened.expires().to_rfc3339())?;
        object.serialize_entry("key_id", &opened.key_id().to_string())?;
        object.serialize_entry("public_id", &opened.public_id().to_string())?;
        object.serialize_entry("payload", &self.payload)?;
        if let Some(least_version) = opened.least_version() {
            object.serialize_entry("least_version", &least_version)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use sealed_session::Key;
    use serde_json::json;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/sealed_session_v1.json")).unwrap()
    }

    fn sealer(vectors: &Value, suite: &Value) -> Sealer {
        let [key, name, audience] =
            [&suite["key_text"], &vectors["cookie_name"], &vectors["audience"]].map(|text| text.as_str().unwrap());
        Sealer::builder(Key::from_text(key).unwrap()).cookie_name(name).audience(audience).build().unwrap()
    }

    /// Runs `check` on each known cookie of this list, with what is printed for it at the instant of the vectors.
    fn for_each(list: &str, check: impl Fn(&Value, &Value, Result<Value, Failure>)) {
        let vectors = vectors();
        let now = Timestamp::from_unix_seconds(vectors["now"].as_u64().unwrap());
        for suite in vectors["suites"].as_array().unwrap() {
            let sealer = sealer(&vectors, suite);
            for cookie in suite[list].as_array().unwrap() {
                let answer = answer(&sealer, cookie["text"].as_str().unwrap(), now);
                check(&vectors, cookie, answer.map(|json| serde_json::from_str(&json).unwrap()));
            }
        }
    }

    #[test]
    fn every_known_cookie_says_what_was_sealed_into_it() {
        for_each("cookies", |vectors, cookie, answer| {
            let (answer, what) = (answer.unwrap(), cookie["what"].as_str().unwrap());
            assert_eq!(answer["kind"], if what == "reference" { "reference" } else { "inline" }, "{what}");
            assert_eq!(answer["browser_session"], what.contains("browser session"), "{what}");
            assert_eq!(answer["public_id"], vectors["public_id"], "{what}");
            let time = |name: &str| Timestamp::from_unix_seconds(vectors[name].as_u64().unwrap());
            for name in ["created", "issued"] {
                assert_eq!(answer[name], time(name).to_rfc3339(), "{what}");
            }
            let expires = Timestamp::from_rfc3339(answer["expires"].as_str().unwrap()).unwrap();
            if what.contains("own lifetime") {
                assert!(expires > time("expires"), "{what}");
            } else {
                assert_eq!(expires, time("expires"), "{what}");
            }
        });
    }

    #[test]
    fn the_payload_is_printed_with_the_crates_own_member() {
        for_each("cookies", |vectors, cookie, answer| {
            let answer = answer.unwrap();
            match cookie["what"].as_str().unwrap() {
                "inline" => {
                    let sealed: Value = serde_json::from_str(vectors["payload"].as_str().unwrap()).unwrap();
                    assert!(sealed["~"].is_object());
                    assert_eq!(answer["payload"], sealed);
                }
                "inline, empty object" => assert_eq!(answer["payload"], json!({})),
                "reference" => assert_eq!(answer["payload"], Value::Null),
                _ => {}
            }
        });
    }

    #[test]
    fn every_refused_cookie_gives_its_reason_code() {
        for_each("refused", |_, cookie, answer| {
            let failure = answer.unwrap_err().to_string();
            assert_eq!(failure.lines().next(), cookie["reason"].as_str(), "{}", cookie["what"]);
        });
    }
}
