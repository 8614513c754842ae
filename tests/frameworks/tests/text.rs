//! The scenario over plain text, with the standard library alone; and what else holds of the small server that reads it.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use sealed_session_framework_tests::{Differences, Site, servers};

sealed_session_framework_tests::scenario!(servers::text::serve, Differences::default());

/// The answer to these bytes; what the client sends is at its end with them.
fn answer_to(site: &Site, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(site.address()).unwrap();
    stream.write_all(request).unwrap();
    // Fails where the server was faster and has closed the connection already.
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_request_that_is_none_is_refused_and_none_is_read_without_bound() {
    let site = Site::start(servers::text::serve);
    let long_field = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(16 * 1024));
    let long_body = format!("POST /login HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 64 * 1024 + 1);
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 200),
        ("GET / HTTP/1.1\n\n", 200),
        ("GET /?a=b HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
        ("", 400),
        ("\r\n", 400),
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1 \r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nno field\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n", 400),
        ("POST /login HTTP/1.1\r\nContent-Length: 5\r\n\r\nname", 400),
        ("POST /login HTTP/1.1\r\nContent-Length: +4\r\n\r\nname", 400),
        ("POST /login HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nname", 400),
        ("POST /login HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST /login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        ("PUT / HTTP/1.1\r\n\r\n", 405),
        ("GET /unknown HTTP/1.1\r\n\r\n", 404),
        (&long_field, 431),
        (&long_body, 413),
    ] {
        let answer = answer_to(&site, request.as_bytes());
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{:.60?}: {answer:.60?}, not {expected}", request);
        assert_eq!(answer.ends_with("\r\n\r\n"), status != 200, "{answer:.60?}");
    }
}

#[test]
fn a_forms_escapes_are_read_and_what_is_none_stands_for_itself() {
    let site = Site::start(servers::text::serve);
    for (sent, name) in [
        ("Zo%C3%AB+%26+Max", "Zo\u{eb} &amp; Max"),
        ("100%", "100%"),
        ("%4", "%4"),
        ("%zz%41", "%zzA"),
        ("%ff", "\u{fffd}"),
    ] {
        let client = site.client();
        assert_eq!(client.fill_in("/login", "/login", &[("name", sent), ("name", "other")]).status, 303);
        assert_eq!(client.name().as_deref(), Some(name), "{sent}");
    }
}
