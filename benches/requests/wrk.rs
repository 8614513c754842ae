//! `wrk`, and what it reports.

use std::fs;
use std::process::Command;

/// What one round gave, or the best of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) requests_a_second: f64,
    /// Microseconds.
    pub(crate) percentile_99: f64,
    /// Microseconds of the server for one request, the kernel's work for it included. What else the machine does is not in it.
    pub(crate) on_processor: f64,
}

impl Figures {
    pub(crate) const NONE: Self =
        Self { requests_a_second: 0.0, percentile_99: f64::INFINITY, on_processor: f64::INFINITY };

    pub(crate) const fn better(self, other: Self) -> Self {
        Self {
            requests_a_second: self.requests_a_second.max(other.requests_a_second),
            percentile_99: self.percentile_99.min(other.percentile_99),
            on_processor: self.on_processor.min(other.on_processor),
        }
    }
}

/// The version, which it prints with its usage.
pub(crate) fn version() -> String {
    let output = Command::new("wrk").arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("wrk: {error}. It is in the Debian package `wrk`"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// One round with a server of this process id.
pub(crate) fn run(url: &str, cookie: &str, process: u32) -> Figures {
    let header = format!("Cookie: theme=dark; {cookie}; _ga=GA1.2.3");
    let before = on_processor(process);
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", "16", "--duration", "1s", "--latency", "--header", &header, url])
        .output()
        .expect("wrk runs");
    let taken = on_processor(process) - before;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.contains("Non-2xx") && !text.contains("Socket errors"), "{url}: {text}");
    let field = |name: &str| {
        let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("wrk reports no {name}: {text}")).trim()
    };
    let requests = text.lines().find_map(|line| line.split_once(" requests in "));
    let requests: f64 = requests.and_then(|(number, _)| number.trim().parse().ok()).expect("a number of requests");
    Figures {
        requests_a_second: field("Requests/sec:").parse().expect("a number"),
        percentile_99: microseconds(field("99%")),
        on_processor: taken / requests,
    }
}

/// Microseconds that all threads of a process have run, which Linux counts in hundredths of a second.
fn on_processor(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("the server runs");
    // The name, in brackets, may have spaces; the eleventh and twelfth field after the state are the times.
    let (_, fields) = text.rsplit_once(") ").expect("a name");
    let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() * 10_000.0
}

fn microseconds(text: &str) -> f64 {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
    let number: f64 = text[..text.len() - unit.len()].parse().expect("a number");
    number
        * match unit {
            "us" => 1.0,
            "ms" => 1e3,
            "s" => 1e6,
            _ => panic!("a unit of time: {text}"),
        }
}
