//! Instants and durations, as operators write and read them.

use std::time::Duration;

use sealed_session::Timestamp;

const SECONDS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];

// Security: no message quotes what was given, which may be a key by mistake.
/// An instant on the command line.
pub(crate) fn time(text: &str) -> Result<Timestamp, &'static str> {
    // Later ones cannot be written into the file.
    let in_range = |time: &Timestamp| Timestamp::from_rfc3339(&time.to_rfc3339()) == Some(*time);
    Timestamp::from_rfc3339(text)
        .filter(in_range)
        .ok_or("a time is written as 2026-11-23T09:00:00Z: RFC 3339, whole seconds")
}

/// A duration on the command line, in whole seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| duration.subsec_nanos() == 0)
        .ok_or("a duration is written as 90s, 15m, 1h or 30d")
}

/// The instant that lies so much later.
pub(crate) const fn later(now: Timestamp, duration: Duration) -> Timestamp {
    now.saturating_add_seconds(duration.as_secs())
}

/// An instant, and how far it is from now: `2026-11-23T09:00:00Z (in 1d 2h)`.
pub(crate) fn shown(instant: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", instant.to_rfc3339(), distance(instant, now))
}

/// How far an instant is from now: `in 1d 2h`, `1h ago`, `now`.
pub(crate) fn distance(instant: Timestamp, now: Timestamp) -> String {
    match (instant.saturating_seconds_since(now), now.saturating_seconds_since(instant)) {
        (0, 0) => "now".to_owned(),
        (0, ago) => format!("{} ago", span(ago)),
        (ahead, _) => format!("in {}", span(ahead)),
    }
}

/// The two largest units of a number of seconds, rounded down: `1d 2h`.
pub(crate) fn span(seconds: u64) -> String {
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in SECONDS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            parts.push(format!("{count}{name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_span_has_two_neighbouring_units_at_most() {
        for (seconds, expected) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m 59s"), (86_405, "1d"), (2_595_600, "30d 1h")]
        {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn an_instant_is_ahead_or_ago() {
        assert_eq!(distance(at(70), at(10)), "in 1m");
        assert_eq!(distance(at(10), at(70)), "1m ago");
        assert_eq!(distance(at(10), at(10)), "now");
    }

    #[test]
    fn a_time_that_cannot_be_written_into_a_file_is_refused() {
        assert!(time("9999-12-31T23:59:59Z").is_ok());
        for text in ["9999-12-31T23:59:59-01:00", "2026-11-23", "tomorrow", "2026-11-23T09:00:00.5Z", ""] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_and_whole_seconds() {
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for text in ["", "5", "-1h", "1500ms", "an hour"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
