//! Whole requests through the session manager: begin, session, commit.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::ManualClock;
use sealed_session::{Commit, Key, RequestFacts, ResponseFacts, SessionManager, Suite};
use sealed_session_benches::{NAME, NOW, criterion, json};

const BYTES: usize = 256;

fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    for suite in [Suite::Xaes, Suite::XChaCha] {
        let store = SessionManager::builder(Key::generate_with(suite).expect("random bytes"))
            .audience("example-app/bench")
            .cookie(CookieAttributes::new().name(NAME))
            .clock(ManualClock::at_unix_seconds(NOW.unix_seconds()))
            .build()
            .expect("the settings are good");
        let sealed = store.sealer().seal(&json(BYTES), NOW).expect("the object fits");
        let header = format!("theme=dark; {NAME}={sealed}; _ga=GA1.2.3");
        let facts = || RequestFacts::new().cookie_header(header.as_bytes()).sec_fetch_dest(b"document");

        assert!(pollster::block_on(reads(&store, &facts())).set_cookies.is_empty());
        assert_eq!(pollster::block_on(writes(&store, &facts())).set_cookies.len(), 1);
        group.bench_function(BenchmarkId::new("never_asks", suite), |bencher| {
            bencher.iter(|| pollster::block_on(never_asks(&store, &facts())));
        });
        group.bench_function(BenchmarkId::new("reads", suite), |bencher| {
            bencher.iter(|| pollster::block_on(reads(&store, &facts())));
        });
        group.bench_function(BenchmarkId::new("writes", suite), |bencher| {
            bencher.iter(|| pollster::block_on(writes(&store, &facts())));
        });
    }
    group.finish();
}

async fn never_asks(store: &SessionManager, facts: &RequestFacts<'_>) -> Commit {
    store.begin(facts).commit(&ResponseFacts::new(200)).await.expect("there is no store that could fail")
}

async fn reads(store: &SessionManager, facts: &RequestFacts<'_>) -> Commit {
    let pending = store.begin(facts);
    let session = pending.session().await.expect("there is no store that could fail");
    assert_eq!(session.get("user").expect("a number is there"), Some(42));
    pending.commit(&ResponseFacts::new(200)).await.expect("there is no store that could fail")
}

async fn writes(store: &SessionManager, facts: &RequestFacts<'_>) -> Commit {
    let pending = store.begin(facts);
    let session = pending.session().await.expect("there is no store that could fail");
    session.increment("visits", 1).expect("a number can be put");
    pending.commit(&ResponseFacts::new(200)).await.expect("there is no store that could fail")
}

criterion_group! { name = benches; config = criterion(); targets = request }
criterion_main!(benches);
