//! Durations as people write them: `2h`, `30d`, `1h 30m`.

use std::time::Duration;

/// Names of each unit, and its milliseconds. The first name is written.
const UNITS: [(&[&str], u64); 6] = [
    (&["w", "week", "weeks"], 7 * 24 * 60 * 60 * 1000),
    (&["d", "day", "days"], 24 * 60 * 60 * 1000),
    (&["h", "hour", "hours"], 60 * 60 * 1000),
    (&["m", "min", "minute", "minutes"], 60 * 1000),
    (&["s", "sec", "second", "seconds"], 1000),
    (&["ms"], 1),
];

/// Whole numbers, each with its unit, added up. A number alone is refused: it is seconds in one library, milliseconds in
/// another.
pub(super) fn read(text: &str) -> Option<Duration> {
    let mut rest = text.trim_ascii();
    let mut total_milliseconds = 0_u64;
    let mut found = false;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|character: char| !character.is_ascii_digit())?);
        let behind = behind.trim_ascii_start();
        let end = behind.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let (_, milliseconds) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        let part = number.parse::<u64>().ok()?.checked_mul(*milliseconds)?;
        total_milliseconds = total_milliseconds.checked_add(part)?;
        rest = next.trim_ascii_start();
        found = true;
    }
    found.then_some(Duration::from_millis(total_milliseconds))
}

/// From days down to milliseconds.
pub(super) fn write(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    for (names, milliseconds) in UNITS.iter().skip(1) {
        let count = left / milliseconds;
        left %= milliseconds;
        if count > 0 {
            parts.push(format!("{count}{}", names.first().unwrap_or(&"ms")));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        for (text, seconds) in [
            ("2h", 7200),
            ("30d", 2_592_000),
            ("1h 30m", 5400),
            ("1h30m", 5400),
            (" 2 hours ", 7200),
            ("1 week 1 day 1 hour 1 minute 1 second", 694_861),
            ("90 sec", 90),
            ("5min", 300),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(read("1s 500ms"), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn all_else_is_refused() {
        for text in [
            "",
            " ",
            "2",
            "h",
            "2 h m",
            "1.5h",
            "-2h",
            "2h30",
            "2H",
            "1M",
            "1month",
            "1y",
            "2h,30m",
            "٢h",
            "none",
            "18446744073709551615w",
            "99999999999999999999s",
            "18446744073709551615s 1s",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for (seconds, text) in [
            (7200, "2h"),
            (2_592_000, "30d"),
            (5400, "1h 30m"),
            (0, "0s"),
            (90_061, "1d 1h 1m 1s"),
            (34_560_000, "400d"),
        ] {
            assert_eq!(write(Duration::from_secs(seconds)), text);
            assert_eq!(read(text), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(write(Duration::from_millis(61_005)), "1m 1s 5ms");
    }
}
