//! The answer for a reader.

use std::fmt::Write as _;

use sealed_session::Timestamp;
use sealed_session::operator::{Inspection, KeyStatus};

use super::Answer;

impl Answer {
    /// Without the last line's end.
    pub(super) fn text(&self) -> String {
        let facts = &self.facts;
        let mut lines = vec!["readable without a key".to_owned(), row("version", facts.version)];
        match (facts.key_id, facts.plaintext_bytes) {
            (Some(key_id), Some(plaintext_bytes)) => lines.extend([
                row("key id", key_id),
                row("size", format_args!("{} characters, {} bytes", facts.value_characters, facts.envelope_bytes)),
                row("encrypted", format_args!("{plaintext_bytes} bytes with header and padding")),
            ]),
            _ => lines.extend([
                row("size", format_args!("{} characters, {} bytes", facts.value_characters, facts.envelope_bytes)),
                row("", "of another version than this command reads"),
            ]),
        }
        if self.has_keys {
            lines.extend([String::new(), "under the keys of the file".to_owned()]);
            match &self.inspection {
                Some(inspection) => lines.extend(inspection_rows(inspection)),
                None => lines.push(row("verdict", "nothing of it can be believed")),
            }
        }
        lines.join("\n")
    }
}

fn inspection_rows(inspection: &Inspection) -> Vec<String> {
    let mut rows = vec![match inspection.refused {
        None => row("verdict", "a session now"),
        Some(reason) => row("verdict", format_args!("refused now: {reason}")),
    }];
    rows.push(match inspection.least_version {
        None => row("kind", "inline: the data is in the cookie"),
        Some(version) => row("kind", format_args!("reference to a record of version {version} or later")),
    });
    rows.extend([
        row("public id", inspection.public_id),
        row("created", inspection.created.to_rfc3339()),
        row("issued", inspection.issued.to_rfc3339()),
        row("expires", format_args!("{}, as it was sealed", inspection.expires.to_rfc3339())),
        row("ends", format_args!("{}, if it is not used again", inspection.ends.to_rfc3339())),
        row(
            "lifetime",
            if inspection.has_own_lifetime {
                "its own, asked for with `remember`"
            } else if inspection.is_browser_session {
                "idle timeout, and no longer than the browser runs"
            } else {
                "idle timeout"
            },
        ),
        row("key", key_words(&inspection.key)),
    ]);
    if inspection.reseal_due {
        rows.push(row("", "a newer key seals: the next page view brings a cookie under that one"));
    }
    if let Some(bytes) = inspection.payload_bytes {
        rows.extend([row("payload", format_args!("{bytes} bytes of JSON")), String::new()]);
        rows.extend(size_rows(&inspection.keys, &inspection.own_keys));
    }
    rows
}

/// Sizes of the members, and below the library's own one those of its parts.
pub(crate) fn size_rows(keys: &[(String, usize)], own_keys: &[(String, usize)]) -> Vec<String> {
    let mut rows = vec!["   bytes  member, its name included".to_owned()];
    for (name, bytes) in keys {
        // Security: a name comes from a cookie and goes to a terminal.
        let shown = name.escape_debug();
        if name == "~" {
            rows.push(format!("{bytes:>8}  {shown} (the library's own), of which"));
            rows.extend(own_keys.iter().map(|(name, bytes)| format!("{bytes:>12}  {}", name.escape_debug())));
        } else {
            rows.push(format!("{bytes:>8}  {shown}"));
        }
    }
    rows
}

fn key_words(key: &KeyStatus) -> String {
    let mut words = format!("{}, {}", key.state, key.suite.name());
    for (what, instant) in
        [("seals from", key.seal_from), ("seals until", key.seal_until), ("opens until", key.open_until)]
    {
        if let Some(instant) = instant.map(Timestamp::to_rfc3339) {
            // Writing to a string cannot fail.
            let _ = write!(words, ", {what} {instant}");
        }
    }
    if key.open_only {
        words.push_str(", never seals");
    }
    words
}

fn row(label: &str, value: impl std::fmt::Display) -> String {
    format!("  {label:<10} {value}")
}
