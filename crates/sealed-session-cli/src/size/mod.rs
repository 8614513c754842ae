//! `sealed-session size`

mod limits;

use clap::Args;
use sealed_session::cookie::CookieAttributes;
use sealed_session::limits::COOKIE_MAX_AGE_SECONDS;
use sealed_session::operator::{CookieLengths, Inspection, member_sizes};
use sealed_session::{Clock as _, Reason, SystemClock};
use serde_json::{Value, json};

use self::limits::{Limit, limits};
use crate::failure::Failure;
use crate::inspect::{size_rows, sizes_json};
use crate::sealer::{self, SealerArguments};
use crate::{cookie_value, input, output};

/// Far more than any cookie carries, so that the answer can say how much too large an object is.
const INPUT_MAX_BYTES: usize = 1024 * 1024;

const AFTER: &str = "\
Reads one JSON object from standard input, as the session would hold it, and
shows what it makes of a cookie: bytes of each top-level member, the largest
first; of the whole; of the cookie's value; of the `Set-Cookie` value with the
default attributes and the longest Max-Age. No key is needed for that. With
--keys it reads a cookie value instead, alone or in a `Cookie` line, and measures
what is in it; the data is not shown, and a cookie that is too old for a session
is measured all the same.

Three limits are shown, each with the bytes of JSON that are left under it:

  browser      4096 bytes of name and value; a browser drops a longer cookie
  with_store   3072 bytes of `Set-Cookie` value: beyond it the library puts the
               data into the server store, where one is configured
  nginx        4096 bytes of all response headers together, as nginx takes them
               from an application by default; other headers need room, too

--limit adds your application's own `inline_limit_bytes`. The member \"~\" is the
library's own: flash messages, errors, old input.

With --json one JSON object on one line: fits, payload_bytes, plaintext_bytes,
value_characters, set_cookie_bytes, keys and own_keys (lists of name and bytes),
limits (a list of name, max_bytes, payload_max_bytes, left_bytes, fits).

Example:
  echo '{\"user\":42,\"cart\":[\"book\"]}' | sealed-session size

Exit codes:
  0  done, and it fits what browsers keep, and --limit
  1  too large, no JSON object, or a cookie that cannot be opened; the answer
     stands on standard output where there is one
  2  wrong usage, which includes a key file that cannot be used";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    sealer: SealerArguments,

    /// Most bytes of the `Set-Cookie` value, as the application is configured
    #[arg(long, value_name = "BYTES")]
    limit: Option<usize>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let attributes = CookieAttributes::new().name(&*arguments.sealer.cookie_name);
    attributes.check().map_err(|error| Failure::Usage(error.to_string()))?;
    let content = match arguments.sealer.builder()? {
        Some(builder) => {
            let sealer = sealer::build(builder)?;
            let input = cookie_value::read()?;
            let text = cookie_value::find(&input, &arguments.sealer.cookie_name)?;
            Content::of_cookie(sealer.inspect(text, SystemClock.now()).map_err(Failure::Refused)?)?
        }
        None => Content::of_json(
            &input::standard_input(INPUT_MAX_BYTES)?
                .ok_or_else(|| not_measured(&format_args!("standard input has more than {INPUT_MAX_BYTES} bytes")))?,
        )?,
    };
    let answer = Answer::of(content, &attributes, arguments.limit);
    output::line(&if arguments.json { answer.json().to_string() } else { answer.text() })?;
    answer.verdict()
}

fn not_measured(problem: &dyn std::fmt::Display) -> Failure {
    Failure::NotDone(format!("not measured: {problem}"))
}

/// What is measured.
struct Content {
    payload_bytes: usize,
    keys: Vec<(String, usize)>,
    own_keys: Vec<(String, usize)>,
    /// Of a cookie that is there: its own length.
    value_characters: Option<usize>,
}

impl Content {
    fn of_json(json: &[u8]) -> Result<Self, Failure> {
        let object = input::object(json).map_err(|problem| not_measured(&problem))?;
        let own_keys = object.get("~").and_then(Value::as_object).map(member_sizes).unwrap_or_default();
        let keys = member_sizes(&object);
        let commas = keys.len().saturating_sub(1);
        let members: usize = keys.iter().map(|(_, bytes)| bytes).sum();
        Ok(Self { payload_bytes: members + commas + "{}".len(), keys, own_keys, value_characters: None })
    }

    fn of_cookie(inspection: Inspection) -> Result<Self, Failure> {
        let payload_bytes = inspection.payload_bytes.ok_or_else(|| {
            not_measured(
                &"the cookie is a reference, its data is in the server store; ask the application for its size",
            )
        })?;
        if inspection.refused == Some(Reason::Payload) {
            return Err(Failure::Refused(Reason::Payload));
        }
        let value_characters = Some(inspection.envelope.value_characters);
        Ok(Self { payload_bytes, keys: inspection.keys, own_keys: inspection.own_keys, value_characters })
    }
}

struct Answer {
    content: Content,
    plaintext_bytes: usize,
    value_characters: usize,
    set_cookie_bytes: usize,
    limits: Vec<Limit>,
}

impl Answer {
    fn of(content: Content, attributes: &CookieAttributes, own_limit: Option<usize>) -> Self {
        let bounded = CookieLengths::new(attributes.value_max_characters(own_limit));
        // What fits no cookie has a length all the same.
        let unbounded = CookieLengths::new(usize::MAX);
        let payload_bytes = content.payload_bytes;
        let either = |length: fn(&CookieLengths, usize) -> Option<usize>| {
            length(&bounded, payload_bytes).or_else(|| length(&unbounded, payload_bytes)).unwrap_or(usize::MAX)
        };
        let plaintext_bytes = either(CookieLengths::plaintext_bytes);
        let value_characters = content.value_characters.unwrap_or_else(|| either(CookieLengths::value_characters));
        let set_cookie_bytes = attributes.set_cookie_bytes(value_characters, Some(COOKIE_MAX_AGE_SECONDS));
        let limits = limits(attributes, own_limit, payload_bytes);
        Self { content, plaintext_bytes, value_characters, set_cookie_bytes, limits }
    }

    fn verdict(&self) -> Result<(), Failure> {
        self.limits.iter().find(|limit| limit.is_binding && !limit.fits()).map_or(Ok(()), |limit| {
            Err(Failure::NotDone(format!(
                "too large: {} bytes of JSON, {} are the most under the limit `{}`",
                self.content.payload_bytes, limit.payload_max_bytes, limit.name
            )))
        })
    }

    fn json(&self) -> Value {
        json!({
            "fits": self.verdict().is_ok(),
            "payload_bytes": self.content.payload_bytes,
            "plaintext_bytes": self.plaintext_bytes,
            "value_characters": self.value_characters,
            "set_cookie_bytes": self.set_cookie_bytes,
            "keys": sizes_json(&self.content.keys),
            "own_keys": sizes_json(&self.content.own_keys),
            "limits": self.limits.iter().map(Limit::json).collect::<Value>(),
        })
    }

    /// Without the last line's end.
    fn text(&self) -> String {
        let mut lines = size_rows(&self.content.keys, &self.content.own_keys);
        let row = |bytes: usize, what: &str| format!("{bytes:>8}  {what}");
        lines.extend([
            String::new(),
            row(self.content.payload_bytes, "JSON of the session"),
            row(self.plaintext_bytes, "encrypted, with header and padding"),
            row(self.value_characters, "value of the cookie"),
            row(self.set_cookie_bytes, "`Set-Cookie` value with the default attributes"),
            String::new(),
            "    left  bytes of JSON under each limit".to_owned(),
        ]);
        lines.extend(self.limits.iter().map(Limit::text));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use sealed_session::sealer::Sealer;
    use sealed_session::{Key, Timestamp};

    use super::*;

    fn answer(json: &str, own_limit: Option<usize>) -> Answer {
        Answer::of(Content::of_json(json.as_bytes()).unwrap(), &CookieAttributes::new(), own_limit)
    }

    #[test]
    fn what_is_measured_without_a_key_is_what_a_sealer_makes() {
        let sealer = Sealer::builder(Key::generate().unwrap()).build().unwrap();
        for length in [0, 1, 30, 31, 32, 100, 2000, 2970] {
            let json = json!({ "a": "x".repeat(length) });
            let text = sealer.seal(&json, Timestamp::default()).unwrap();
            let answer = answer(&json.to_string(), None);
            assert_eq!(answer.value_characters, text.len(), "{length}");
            assert_eq!(answer.content.payload_bytes, json.to_string().len());
            let inspection = sealer.inspect(&text, Timestamp::default()).unwrap();
            assert_eq!(Some(answer.plaintext_bytes), inspection.envelope.plaintext_bytes);
            let of_cookie = Answer::of(Content::of_cookie(inspection).unwrap(), &CookieAttributes::new(), None);
            assert_eq!(of_cookie.json(), answer.json());
        }
    }

    #[test]
    fn white_space_around_the_members_does_not_count() {
        assert_eq!(answer(" { \"a\" : [ 1 , 2 ] } ", None).content.payload_bytes, r#"{"a":[1,2]}"#.len());
    }

    #[test]
    fn the_largest_payload_fits_and_one_byte_more_does_not() {
        let object = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(answer(&object(2979), None).verdict().is_ok());
        let failure = answer(&object(2980), None).verdict().unwrap_err().to_string();
        assert_eq!(failure, "error: too large: 2980 bytes of JSON, 2979 are the most under the limit `browser`\n");
        assert!(answer(&object(988), Some(1500)).verdict().is_ok());
        let failure = answer(&object(989), Some(1500)).verdict().unwrap_err().to_string();
        assert!(failure.contains("under the limit `--limit`"), "{failure}");
    }
}
