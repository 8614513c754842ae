//! From the text of a format to a [`Node`]. Only the position of a mistake is told.
//!
//! Security: both parsers quote the text in their messages, and a text may hold keys.

use super::node::Node;
use crate::error::ConfigError;

pub(super) fn toml(text: &str) -> Result<Node, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let mend = "write `name = value` lines, texts in quotes, and each name and section once";
        refused("TOML", position(text, error.span().map_or(0, |span| span.start)), mend)
    })
}

pub(super) fn json(text: &str) -> Result<Node, ConfigError> {
    serde_json::from_str(text)
        .map_err(|error| refused("JSON", (error.line(), error.column()), "write one object, without comments"))
}

fn refused(format: &str, (line, column): (usize, usize), mend: &str) -> ConfigError {
    ConfigError::new("", format!("line {line}, column {column} is not {format}; {mend}"))
}

/// Line and column of a byte, the first ones are 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count().saturating_add(1), last_line.chars().count().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_by_its_position_alone() {
        for (text, place) in [
            ("a = 1\nb = hidden", "line 2, column 5 is not TOML"),
            ("a = 1\nkey = \"hidden", "line 2, column 14 is not TOML"),
            ("hidden = 1\nhidden = 2", "line 2, column 1 is not TOML"),
            ("hidden", "line 1, column 7 is not TOML"),
        ] {
            let error = toml(text).err().unwrap();
            assert!(error.to_string().starts_with(place), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
        for (text, place) in
            [("{\"a\":\n hidden}", "line 2, column 2 is not JSON"), ("{\"hidden\":1} hidden", "line 1, column 14 is")]
        {
            let error = json(text).err().unwrap();
            assert!(error.to_string().starts_with(place), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(json(&"[".repeat(100_000)).is_err());
        assert!(toml(&format!("a = {}", "[".repeat(100_000))).is_err());
    }
}
