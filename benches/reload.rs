//! What a request pays while the ring of keys is replaced: opening and sealing, and whole requests, on one and two threads.
//!
//! Every sample is a pair: the work in calm, and right after it the same work with a ring that is replaced meanwhile, so that
//! a machine that is busy elsewhere is busy for both. Criterion shows the second of the two; the line below it their ratio,
//! and that of the time on the processor, where Linux tells it.

use std::cell::RefCell;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use sealed_session::{RequestFacts, ResponseFacts, SessionManager};
use sealed_session_benches::reload::{Reload, Rings, Running, time_on_threads};
use sealed_session_benches::stopwatch::{Took, quartiles};
use sealed_session_benches::{NAME, NOW, criterion, json};

const BYTES: usize = 256;
const SAMPLES: usize = 20;

/// What is measured: a name, and the work on one cookie.
type Work<'a> = (&'a str, &'a (dyn Fn(&SessionManager, &str) + Sync));

fn reload(criterion: &mut Criterion) {
    let rings = Rings::new();
    let json = json(BYTES);
    let open_and_seal = |store: &SessionManager, cookie: &str| {
        store.sealer().open(cookie, NOW).expect("every ring has the key");
        store.sealer().seal(&json, NOW).expect("the object fits");
    };
    let works: [Work<'_>; 2] = [("open_and_seal", &open_and_seal), ("request", &request)];
    let reloads = [
        ("replaced_each_100_ms", Reload::Each(Duration::from_millis(100))),
        ("replaced_each_1_ms", Reload::Each(Duration::from_millis(1))),
        ("another_replaced_each_1_ms", Reload::EachElsewhere(Duration::from_millis(1))),
        ("file_watched", Reload::Watched),
    ];
    let mut group = criterion.benchmark_group("reload");
    // Each sample is long enough for its reloads to happen in it.
    group.sampling_mode(SamplingMode::Flat).sample_size(SAMPLES).measurement_time(Duration::from_secs(5));
    // Threads are started for each: it takes a while until that is a small part of what criterion plans with.
    group.warm_up_time(Duration::from_secs(1));
    for (work_name, work) in works {
        for threads in [1, 2] {
            for (reload_name, reload) in &reloads {
                let pairs = RefCell::new(Vec::new());
                let parameter = format!("{threads}_threads/{reload_name}");
                let time = |running: &Running, times| {
                    let cookie = running.store.sealer().seal(&json, NOW).expect("the object fits");
                    time_on_threads(threads, times, || work(&running.store, &cookie))
                };
                // A watch takes longer than a sample to believe a file: it goes on from sample to sample.
                let watched = matches!(reload, Reload::Watched).then(|| Running::start(&rings, reload));
                group.bench_function(BenchmarkId::new(work_name, parameter), |bencher| {
                    bencher.iter_custom(|times| {
                        let calm = time(&Running::start(&rings, &Reload::Never), times);
                        let reloaded = match &watched {
                            Some(running) => time(running, times),
                            None => {
                                let running = Running::start(&rings, reload);
                                let took = time(&running, times);
                                running.end(took.elapsed);
                                took
                            }
                        };
                        pairs.borrow_mut().push((calm, reloaded));
                        reloaded.elapsed
                    });
                });
                if let Some(running) = watched {
                    running.end(pairs.borrow().iter().map(|(calm, reloaded)| calm.elapsed + reloaded.elapsed).sum());
                }
                tell(&pairs.borrow());
            }
        }
    }
    group.finish();
}

/// Tells the ratios of the pairs that criterion has measured. Those before were its warm-up, and too short.
fn tell(pairs: &[(Took, Took)]) {
    let Some(measured) = pairs.len().checked_sub(SAMPLES).and_then(|first| pairs.get(first..)) else { return };
    let elapsed = measured.iter().map(|(calm, reloaded)| (calm.elapsed, reloaded.elapsed));
    // Linux brings it up to date a few times in 10 ms, so that of a moment says nothing.
    let on_processor = measured
        .iter()
        .filter_map(|(calm, reloaded)| calm.on_processor.zip(reloaded.on_processor))
        .filter(|(calm, reloaded)| *calm.min(reloaded) > Duration::from_millis(10));
    println!("                        reloaded / calm, elapsed:      {}", median(elapsed));
    println!("                        reloaded / calm, on processor: {}", median(on_processor));
}

/// The median of the ratios, and the middle half of them.
fn median(pairs: impl Iterator<Item = (Duration, Duration)>) -> String {
    let ratios: Vec<_> = pairs.map(|(calm, reloaded)| reloaded.as_secs_f64() / calm.as_secs_f64()).collect();
    if ratios.len() < SAMPLES / 2 {
        return "too few samples were long enough".to_owned();
    }
    let [quarter, half, three_quarters] = quartiles(ratios);
    format!("{half:.3} ({quarter:.3} to {three_quarters:.3})")
}

fn request(store: &SessionManager, cookie: &str) {
    let header = format!("theme=dark; {NAME}={cookie}; _ga=GA1.2.3");
    let facts = RequestFacts::new().cookie_header(header.as_bytes()).sec_fetch_dest(b"document");
    let commit = pollster::block_on(async {
        let pending = store.begin(&facts);
        let session = pending.session().await.expect("there is no store that could fail");
        session.increment("visits", 1).expect("a number can be put");
        pending.commit(&ResponseFacts::new(200)).await.expect("there is no store that could fail")
    });
    assert_eq!(commit.set_cookies.len(), 1);
}

criterion_group! { name = benches; config = criterion(); targets = reload }
criterion_main!(benches);
