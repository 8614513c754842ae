//! From JSON to a cookie's value.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sealed_session_benches::{NOW, Peer, SIZES, criterion, json, sealers};

fn seal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal");
    let peer = Peer::new();
    for bytes in SIZES {
        let json = json(bytes);
        for (suite, sealer) in sealers() {
            assert!(sealer.seal(&json, NOW).is_ok());
            group.bench_function(BenchmarkId::new(suite, bytes), |bencher| bencher.iter(|| sealer.seal(&json, NOW)));
        }
        group.bench_function(BenchmarkId::new("private_jar", bytes), |bencher| {
            bencher.iter(|| peer.seal(json.get()));
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = criterion(); targets = seal }
criterion_main!(benches);
