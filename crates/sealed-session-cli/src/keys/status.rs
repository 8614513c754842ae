//! A key of the ring in words, and for scripts.

use sealed_session::Timestamp;
use sealed_session::operator::{KeyState, KeyStatus, RingText};
use serde_json::{Value, json};

use crate::when;

/// What a key does, and until when.
pub(crate) fn words(status: &KeyStatus, now: Timestamp) -> String {
    let shown = |instant: Timestamp| when::shown(instant, now);
    let opens = match status.open_until {
        Some(until) => format!("opens until {}", shown(until)),
        None => "opens without an end".to_owned(),
    };
    match status.state {
        KeyState::Pending => status.seal_from.map_or_else(String::new, |from| format!("seals from {}", shown(from))),
        KeyState::Sealing => {
            let since =
                status.seal_from.map_or_else(|| "since ever".to_owned(), |from| format!("since {}", shown(from)));
            let until =
                status.seal_until.map_or_else(|| "no end".to_owned(), |until| format!("until {}", shown(until)));
            format!("{since}, {until}")
        }
        KeyState::Expired => {
            let since = status.open_until.map_or_else(String::new, |until| format!(" since {}", shown(until)));
            format!("opens nothing{since}, can be removed")
        }
        _ => match status.seal_until {
            Some(until) => format!("sealed until {}, {opens}", shown(until)),
            None => opens,
        },
    }
}

/// A key for scripts: states as in the library, times in RFC 3339 or null.
pub(crate) fn json(status: &KeyStatus, text: &RingText) -> Value {
    let rfc3339 = |instant: Option<Timestamp>| instant.map(Timestamp::to_rfc3339);
    let own = text.marks(&status.key_id).and_then(|marks| marks.seal_until);
    json!({
        "key_id": status.key_id.to_string(),
        "suite": status.suite.name(),
        "state": status.state.as_str(),
        "open_only": status.open_only,
        "seal_from": rfc3339(status.seal_from),
        "seal_until": rfc3339(status.seal_until),
        "seal_until_is_written": own.is_some() && own == status.seal_until,
        "open_until": rfc3339(status.open_until),
        "next_change": rfc3339(status.next_change),
    })
}
