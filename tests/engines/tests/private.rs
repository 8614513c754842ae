//! An engine of a test's own. Not beside the tests of the proxy: a process that is being started holds the sockets of this one
//! for a moment, and what was closed is not closed then.
#![expect(clippy::panic, reason = "a rule fails loudly; clippy knows test functions alone")]

use std::net::TcpStream;
use std::time::Duration;

use sealed_session_engine_tests::{Engine, PrivateEngine};

/// A server's process that it had just begun for a connection answers for it until it sees that it is orphaned.
fn wait_until_gone(address: (&str, u16)) {
    for _ in 0..1000 {
        if TcpStream::connect(address).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("a killed engine answers");
}

fn comes_back(engine: Engine) {
    let mut private = PrivateEngine::start(engine, &[]);
    let (url, folder, address) = (private.url(), private.folder().to_owned(), ("127.0.0.1", private.port()));
    assert!(TcpStream::connect(address).is_ok(), "{engine:?}");
    private.kill();
    wait_until_gone(address);
    private.start_again();
    assert!(TcpStream::connect(address).is_ok(), "{engine:?}");
    assert_eq!(private.url(), url);
    drop(private);
    assert!(!folder.exists(), "{engine:?}");
}

#[test]
fn an_engine_of_ones_own_is_killed_and_comes_back_at_its_address() {
    std::thread::scope(|scope| {
        for engine in [Engine::Redis, Engine::Postgres, Engine::MySql, Engine::MongoDb] {
            scope.spawn(move || comes_back(engine));
        }
    });
}
