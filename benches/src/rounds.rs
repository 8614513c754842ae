//! Rounds in which all take turns, and the fastest of each.

use crate::stopwatch::Stopwatch;

/// What is done once.
pub type Work<'w> = Box<dyn FnMut() + 'w>;

/// How often, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    rounds: u32,
    nanoseconds: u64,
}

impl Rounds {
    /// 92 rounds of a millisecond and a half of each work; one round of one with `--test`.
    #[must_use]
    pub fn from_arguments() -> Self {
        if is_test() { Self { rounds: 1, nanoseconds: 1 } } else { Self { rounds: 92, nanoseconds: 1_500_000 } }
    }

    /// Nanoseconds on a processor that each work takes, in the fastest of its rounds: on a shared machine medians move by
    /// half, and minima by a few per cent.
    pub fn fastest(self, works: &mut [Work<'_>]) -> Vec<f64> {
        let mut fastest = vec![f64::INFINITY; works.len()];
        // As many as fill a round.
        let times: Vec<_> = works
            .iter_mut()
            .map(|work| {
                let few = if self.rounds == 1 { 1 } else { 20 };
                let took = run(work, few).max(1.0);
                (self.nanoseconds as f64 / took).clamp(1.0, 100_000.0) as u32
            })
            .collect();
        for _ in 0..self.rounds {
            for ((work, fastest), times) in works.iter_mut().zip(&mut fastest).zip(&times) {
                *fastest = fastest.min(run(work, *times));
            }
        }
        fastest
    }
}

/// Nanoseconds for one.
fn run(work: &mut Work<'_>, times: u32) -> f64 {
    let stopwatch = Stopwatch::start();
    (0..times).for_each(|_| work());
    let took = stopwatch.took();
    took.on_processor.unwrap_or(took.elapsed).as_nanos() as f64 / f64::from(times)
}

/// Whether everything is done once, to see that it works.
#[must_use]
pub fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// What follows this option.
#[must_use]
pub fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}
