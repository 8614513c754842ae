//! A request, as it comes in over a connection. RFC 9112 has the rules.

use std::io::{self, BufRead, Read};

const HEAD_MAX_BYTES: u64 = 16 * 1024;
const BODY_MAX_BYTES: u64 = 64 * 1024;

/// The status of a request that is none.
type Refused = u16;

/// A request that came whole.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in small letters; values as bytes, because nothing makes them text.
    headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads one request, of bounded length.
    ///
    /// # Errors
    ///
    /// When the client has gone or is silent. A request that is refused is none of it: that has a status.
    pub(crate) fn read(connection: &mut impl BufRead) -> io::Result<Result<Self, Refused>> {
        let mut head = connection.by_ref().take(HEAD_MAX_BYTES);
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            head.read_until(b'\n', &mut line)?;
            if line.pop() != Some(b'\n') {
                return Ok(Err(if head.limit() == 0 { 431 } else { 400 }));
            }
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let mut request = match parse(&lines) {
            Ok(request) => request,
            Err(status) => return Ok(Err(status)),
        };
        let length = match request.body_bytes() {
            Ok(length) if length <= BODY_MAX_BYTES => length,
            Ok(_) => return Ok(Err(413)),
            Err(status) => return Ok(Err(status)),
        };
        let read = connection.by_ref().take(length).read_to_end(&mut request.body)?;
        Ok(if read as u64 == length { Ok(request) } else { Err(400) })
    }

    /// The values of a header field, in their order.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of a header field.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers(name).next()
    }

    fn body_bytes(&self) -> Result<u64, Refused> {
        let lengths = self.headers("content-length").collect::<Vec<_>>();
        match lengths.as_slice() {
            // Chunks are not read here.
            _ if self.header("transfer-encoding").is_some() => Err(501),
            [] => Ok(0),
            [length] if length.iter().all(u8::is_ascii_digit) => text(length)?.parse().map_err(|_| 400),
            _ => Err(400),
        }
    }
}

fn parse(lines: &[Vec<u8>]) -> Result<Request, Refused> {
    let (first, fields) = lines.split_first().ok_or(400_u16)?;
    let mut words = text(first)?.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(400);
    };
    let path = target.split('?').next().unwrap_or_default();
    let headers = fields.iter().map(|line| field(line)).collect::<Result<_, _>>()?;
    Ok(Request { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() })
}

fn field(line: &[u8]) -> Result<(String, Vec<u8>), Refused> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(400_u16)?;
    let (name, value) = line.split_at(colon);
    // Security: a name with a space at either end is read by one program and not by the next. RFC 9112 §5.1.
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return Err(400);
    }
    let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
    Ok((text(name)?.to_ascii_lowercase(), value.to_owned()))
}

fn text(bytes: &[u8]) -> Result<&str, Refused> {
    std::str::from_utf8(bytes).map_err(|_| 400)
}
