//! Durations as people write them: `2h`, `30d`, `1h 30m`.

use std::time::Duration;

const UNITS: [(&[&str], u64); 5] = [
    (&["w", "week", "weeks"], 7 * 24 * 60 * 60),
    (&["d", "day", "days"], 24 * 60 * 60),
    (&["h", "hour", "hours"], 60 * 60),
    (&["m", "min", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];

/// Whole numbers, each with its unit, added up. A number alone is refused: it is seconds in one library, milliseconds in
/// another.
pub(super) fn read(text: &str) -> Option<Duration> {
    let mut rest = text.trim_ascii();
    let mut total_seconds = 0_u64;
    let mut found = false;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|character: char| !character.is_ascii_digit())?);
        let behind = behind.trim_ascii_start();
        let end = behind.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let (_, seconds) = UNITS.iter().find(|(names, _)| names.contains(&unit))?;
        total_seconds = total_seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(*seconds)?)?;
        rest = next.trim_ascii_start();
        found = true;
    }
    found.then_some(Duration::from_secs(total_seconds))
}

/// In days, hours, minutes and seconds; parts of a second are dropped.
pub(super) fn write(duration: Duration) -> String {
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (names, seconds) in UNITS.iter().skip(1) {
        let count = left / seconds;
        left %= seconds;
        if count > 0 {
            parts.push(format!("{count}{}", names.first().unwrap_or(&"s")));
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
            "500ms",
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
    }
}
