//! From a cookie's value that is none of ours to its refusal: what an attacker can make a server work.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sealed_session::{Key, Reason};
use sealed_session_benches::{NOW, Peer, SIZES, criterion, json, sealer, sealers, with_another_tag};

fn refuse(criterion: &mut Criterion) {
    let peer = Peer::new();
    for bytes in SIZES {
        let json = json(bytes);
        let strangers = sealer(Key::generate().expect("random bytes")).seal(&json, NOW).expect("the object fits");
        for (suite, sealer) in sealers() {
            let good = sealer.seal(&json, NOW).expect("the object fits");
            for (kind, text, reason) in [
                ("forged", with_another_tag(&good), Reason::Unauthentic),
                ("garbage", "!".repeat(good.len()), Reason::Malformed),
                ("unknown_key", strangers.clone(), Reason::UnknownKey),
            ] {
                assert_eq!(sealer.open(&text, NOW).unwrap_err(), reason);
                criterion
                    .benchmark_group(format!("refuse_{kind}"))
                    .bench_function(BenchmarkId::new(suite, bytes), |bencher| bencher.iter(|| sealer.open(&text, NOW)));
            }
        }
        let good = Peer::value(&peer.seal(json.get())).to_owned();
        // Another key is a wrong tag here: nothing in the value names its key.
        let strangers = Peer::value(&Peer::new().seal(json.get())).to_owned();
        for (kind, text) in
            [("forged", with_another_tag(&good)), ("garbage", "!".repeat(good.len())), ("unknown_key", strangers)]
        {
            let jar = Peer::received(&text);
            assert!(peer.open(&jar).is_none());
            criterion
                .benchmark_group(format!("refuse_{kind}"))
                .bench_function(BenchmarkId::new("private_jar", bytes), |bencher| bencher.iter(|| peer.open(&jar)));
        }
    }
}

criterion_group! { name = benches; config = criterion(); targets = refuse }
criterion_main!(benches);
