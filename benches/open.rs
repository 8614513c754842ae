//! From a good cookie's value to JSON. Ours is checked to be an object, the peer's is any text.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sealed_session_benches::{NOW, Peer, SIZES, criterion, json, sealers};

fn open(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open");
    let peer = Peer::new();
    for bytes in SIZES {
        let json = json(bytes);
        for (suite, sealer) in sealers() {
            let text = sealer.seal(&json, NOW).expect("the object fits");
            assert!(sealer.open(&text, NOW).is_ok());
            group.bench_function(BenchmarkId::new(suite, bytes), |bencher| bencher.iter(|| sealer.open(&text, NOW)));
        }
        let jar = Peer::received(Peer::value(&peer.seal(json.get())));
        assert!(peer.open(&jar).is_some());
        group.bench_function(BenchmarkId::new("private_jar", bytes), |bencher| bencher.iter(|| peer.open(&jar)));
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = open }
criterion_main!(benches);
