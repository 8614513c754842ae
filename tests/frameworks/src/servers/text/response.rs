//! A response, as it goes out over a connection.

use std::fmt::Write as _;
use std::io::{self, Write};

/// A response whose head is not sent yet.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

/// A body that is whole, or one that comes in pieces.
enum Body {
    Whole(String),
    Pieces(&'static [&'static str]),
}

impl Response {
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Whole(String::new()) }
    }

    pub(crate) fn page(html: impl Into<String>) -> Self {
        Self::html(Body::Whole(html.into()))
    }

    pub(crate) fn stream(pieces: &'static [&'static str]) -> Self {
        Self::html(Body::Pieces(pieces))
    }

    fn html(body: Body) -> Self {
        Self { status: 200, headers: Vec::new(), body }.with("Content-Type", "text/html; charset=utf-8")
    }

    /// The same with one more header field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same without this header field.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        self
    }

    /// The values of a header field, in their order.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_bytes())
    }

    pub(crate) fn write(&self, mut connection: impl Write) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} \r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match &self.body {
            Body::Whole(text) => write!(connection, "{head}Content-Length: {}\r\n\r\n{text}", text.len()),
            Body::Pieces(pieces) => {
                write!(connection, "{head}Transfer-Encoding: chunked\r\n\r\n")?;
                for piece in *pieces {
                    write!(connection, "{:x}\r\n{piece}\r\n", piece.len())?;
                }
                connection.write_all(b"0\r\n\r\n")
            }
        }
    }
}
