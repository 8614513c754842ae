//! Sessions in one Redis, through this crate, `tower-sessions` and `actix-session`: what a request takes, and what it sends.
//!
//! ```sh
//! bash tests/lib/engines.sh run redis -- cargo bench --manifest-path benches/Cargo.toml --bench stores
//! ```
//!
//! One thread and one request at a time, so that the times are those of a request and not of a queue. A round asks each of
//! them as often, one after the other, and begins with another one than the round before: what else the machine does, it
//! does to all of them. The ratios are those of one round each.

use sealed_session_benches::stopwatch::{Stopwatch, Took, quartiles};
use sealed_session_benches::stores::{Request, Server, Sessions, systems};
use tokio::task::LocalSet;

/// Bytes of the session as JSON.
const SIZES: [usize; 3] = [200, 2048, 8192];

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    requests: u32,
}

impl Effort {
    const FULL: Self = Self { rounds: 51, requests: 60 };
    /// To see that it works.
    const TEST: Self = Self { rounds: 1, requests: 2 };
}

fn main() {
    let effort = if std::env::args().any(|argument| argument == "--test") { Effort::TEST } else { Effort::FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is a runtime");
    // What actix runs stays on its thread.
    runtime.block_on(LocalSet::new().run_until(measure(effort)));
}

async fn measure(effort: Effort) {
    let server = Server::from_environment();
    let Effort { rounds, requests } = effort;
    println!("stores: Redis {}, {rounds} rounds of {requests} requests", server.version().await);
    println!();
    println!("| a request that | bytes | | sends | µs | / ours | µs on the processor | / ours |");
    println!("|---|---|---|---|---|---|---|---|");
    for bytes in SIZES {
        let mut visitors = Vec::new();
        for system in systems(&server, bytes).await {
            let cookie = system.answer(Request::Begin, None).await.expect("a session begins with a cookie");
            visitors.push(Visitor { system, cookie });
        }
        for request in Request::ALL {
            let mut sent = Vec::new();
            for visitor in &mut visitors {
                sent.push(server.commands_of(visitor.visit(request)).await);
            }
            let mut took: Vec<Vec<Took>> = visitors.iter().map(|_| Vec::new()).collect();
            for round in 0..rounds {
                for turn in 0..visitors.len() {
                    let number = (round + turn) % visitors.len();
                    took[number].push(visitors[number].visits(request, requests).await);
                }
            }
            for ((visitor, sent), took_here) in visitors.iter().zip(sent).zip(&took) {
                let name = visitor.system.name();
                let figures = figures(took_here, &took[0], requests);
                println!("| {} | {bytes} | {name} | {} | {figures} |", request.name(), sent.join(", "));
            }
        }
    }
}

/// Somebody with the cookie of a session.
struct Visitor {
    system: Box<dyn Sessions>,
    cookie: String,
}

impl Visitor {
    async fn visit(&mut self, request: Request) {
        let is_new = request == Request::Begin;
        let cookie = self.system.answer(request, (!is_new).then_some(self.cookie.as_str())).await;
        assert!(cookie.is_some() || !is_new, "a session began without a cookie");
        // A session that has just begun has not been changed yet; the visitor keeps the one that has.
        if let Some(cookie) = cookie.filter(|_| !is_new) {
            self.cookie = cookie;
        }
    }

    async fn visits(&mut self, request: Request, requests: u32) -> Took {
        let stopwatch = Stopwatch::start();
        for _ in 0..requests {
            self.visit(request).await;
        }
        stopwatch.took()
    }
}

/// Four cells of a row: the medians of a request, each with the ratio to ours and the middle half of it.
fn figures(took: &[Took], ours: &[Took], requests: u32) -> String {
    let elapsed = |took: &Took| Some(took.elapsed.as_secs_f64());
    let on_processor = |took: &Took| took.on_processor.map(|took| took.as_secs_f64());
    format!("{} | {}", pair(took, ours, requests, elapsed), pair(took, ours, requests, on_processor))
}

fn pair(took: &[Took], ours: &[Took], requests: u32, of: impl Fn(&Took) -> Option<f64>) -> String {
    let [_, median, _] = quartiles(took.iter().filter_map(&of));
    let ratios = took.iter().zip(ours).filter_map(|(took, ours)| Some(of(took)? / of(ours)?));
    let [quarter, half, three_quarters] = quartiles(ratios);
    format!("{:.0} | {half:.2} ({quarter:.2} to {three_quarters:.2})", median * 1e6 / f64::from(requests))
}
