//! The helpers of the engine tests, on an engine of three lines: what counts and breaks connections must itself hold.
#![expect(clippy::unwrap_used, reason = "a rule fails loudly; clippy knows test functions alone")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use sealed_session_engine_tests::{Proxy, Runner, Server, assert_found, assert_nowhere, free_port, unique_name};

/// Answers each four bytes with the same four bytes.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut four = [0; 4];
    while stream.read_exact(&mut four).is_ok() && stream.write_all(&four).is_ok() {}
}

/// Sends four bytes and reads what comes back.
fn ask(stream: &mut TcpStream) -> Result<[u8; 4], ErrorKind> {
    let mut four = [0; 4];
    stream.write_all(b"ping").and_then(|()| stream.read_exact(&mut four)).map(|()| four).map_err(|error| error.kind())
}

#[test]
fn every_request_that_waits_for_its_answer_is_one_round_trip() {
    let proxy = Proxy::to(echo());
    let mut streams = [0, 1].map(|_| TcpStream::connect(proxy.address()).unwrap());
    for stream in &mut streams {
        for _ in 0..50 {
            assert_eq!(ask(stream), Ok(*b"ping"));
        }
    }
    assert_eq!(proxy.take_round_trips(), 100);
    assert_eq!(proxy.take_round_trips(), 0);
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn a_url_leads_through_the_proxy_with_all_its_parts() {
    let engine = echo();
    for (before, after) in [("test@", "/postgres"), ("", "/?directConnection=true"), ("", "")] {
        let (proxy, url) = Proxy::before(&format!("scheme://{before}{engine}{after}"));
        assert_eq!(url, format!("scheme://{before}{}{after}", proxy.address()));
        assert_eq!(ask(&mut TcpStream::connect(proxy.address()).unwrap()), Ok(*b"ping"));
    }
}

#[test]
fn a_cut_reply_ends_its_connection_and_no_other() {
    let proxy = Proxy::to(echo());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream), Ok(*b"ping"));
    proxy.cut_next_reply_after(2);
    assert!(proxy.awaits_cut());
    stream.write_all(b"ping").unwrap();
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received);
    assert_eq!(received, b"pi");
    assert!(!proxy.awaits_cut());
    assert_eq!(ask(&mut TcpStream::connect(proxy.address()).unwrap()), Ok(*b"ping"));
}

#[test]
fn a_cut_request_is_not_answered() {
    let proxy = Proxy::to(echo());
    proxy.cut_next_request_after(3);
    assert!(ask(&mut TcpStream::connect(proxy.address()).unwrap()).is_err());
    assert!(!proxy.awaits_cut());
}

#[test]
fn behind_so_many_messages_everything_is_held_on_every_connection() {
    let proxy = Proxy::to(echo());
    let mut streams = [0, 1].map(|_| TcpStream::connect(proxy.address()).unwrap());
    for stream in &mut streams {
        assert_eq!(ask(stream), Ok(*b"ping"));
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    }
    // A request, its answer, and a request whose answer is held.
    proxy.hold_behind(3);
    assert_eq!(ask(&mut streams[0]), Ok(*b"ping"));
    assert!(!proxy.is_holding());
    for stream in &mut streams {
        assert!(matches!(ask(stream), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
        assert!(proxy.is_holding());
    }
}

#[test]
fn behind_so_many_messages_one_connection_is_cut_within_the_next() {
    let proxy = Proxy::to(echo());
    let mut streams = [0, 1].map(|_| TcpStream::connect(proxy.address()).unwrap());
    for (messages, received) in [(1, "pi"), (0, "")] {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        proxy.cut_behind(messages, 2);
        stream.write_all(b"ping").unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert_eq!(answer, received);
        assert!(!proxy.awaits_cut());
        for other in &mut streams {
            assert_eq!(ask(other), Ok(*b"ping"));
        }
    }
    proxy.cut_behind(0, 0);
    proxy.let_pass();
    assert_eq!(ask(&mut streams[0]), Ok(*b"ping"));
}

#[test]
fn a_reply_is_held_back_for_the_delay() {
    let proxy = Proxy::to(echo());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    proxy.delay_replies(Duration::from_secs(60));
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(matches!(ask(&mut stream), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
}

#[test]
fn a_closed_proxy_cuts_and_refuses_until_it_is_opened_again() {
    let mut proxy = Proxy::to(echo());
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream), Ok(*b"ping"));
    proxy.close();
    assert!(ask(&mut stream).is_err());
    assert_eq!(TcpStream::connect(proxy.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    proxy.reopen();
    assert_eq!(ask(&mut TcpStream::connect(proxy.address()).unwrap()), Ok(*b"ping"));
}

#[test]
fn a_proxy_may_be_used_and_dropped_inside_of_a_runtime() {
    let engine = echo();
    Runner::new().block_on(async {
        let mut proxy = Proxy::to(engine);
        proxy.close();
        proxy.reopen();
    });
}

#[test]
fn a_killed_server_is_gone() {
    let mut server = Server::start("sleep", &["60"]);
    assert!(server.is_running());
    server.kill();
    assert_ne!(free_port(), 0);
}

#[test]
fn names_are_unique() {
    let names: std::collections::BTreeSet<_> = (0..1000).map(|_| unique_name("table")).collect();
    assert_eq!(names.len(), 1000);
}

#[test]
fn a_dump_is_searched_in_every_usual_form() {
    let secret = [0xfb, 0xff, 0xbf, 1, 2, 3, 4, 0xab];
    for written in [&secret[..], b"fbffbf01020304ab", b"FBFFBF01020304AB", b"+/+/AQIDBKs", b"-_-_AQIDBKs"] {
        let dump = [b"before ", written, b" behind"].concat();
        assert_found(&dump, "the secret", &secret);
        assert!(std::panic::catch_unwind(|| assert_nowhere(&dump, "the secret", &secret)).is_err());
    }
    assert_nowhere(b"something else altogether", "the secret", &secret);
}
