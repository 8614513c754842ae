//! One request, one connection: enough to see that a server does what it is measured for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The pair of the cookie that the answer sets, and its body.
pub(crate) fn get(address: SocketAddr, path: &str, cookie: Option<&str>) -> (Option<String>, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let cookie = cookie.map_or_else(String::new, |pair| format!("Cookie: {pair}\r\n"));
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let set_cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let pair = value.split(';').next()?;
        name.eq_ignore_ascii_case("set-cookie").then(|| pair.to_owned())
    });
    (set_cookie, body.to_owned())
}
