use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Names in an answer which server gave it, from 0 on.
pub(crate) const SERVED_BY: &str = "x-served-by";

/// A reverse proxy that gives each request to the next server, and passes on every header as it is.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    failures: AtomicUsize,
}

impl Proxy {
    /// Begins to listen on a free port, in front of the servers on these.
    #[must_use]
    pub fn start(servers: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let number = shared.requests.fetch_add(1, Ordering::Relaxed) % servers.len();
                let (port, counts) = (servers[number], Arc::clone(&shared));
                std::thread::spawn(move || {
                    if pass(connection, port, number).is_err() {
                        counts.failures.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        Self { port, counts }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// Requests that a server or a client broke off.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.counts.failures.load(Ordering::Relaxed)
    }
}

/// Passes one request on and its answer back; a connection carries one of each.
fn pass(mut client: TcpStream, port: u16, number: usize) -> io::Result<()> {
    let mut request = BufReader::new(client.try_clone()?);
    let head = head(&mut request)?;
    let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    request.read_exact(&mut body)?;

    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.write_all(with_headers(&head, &[("connection", "close")]).as_bytes())?;
    server.write_all(&body)?;

    let mut answer = BufReader::new(server);
    let head = self::head(&mut answer)?;
    let served_by = number.to_string();
    client.write_all(with_headers(&head, &[("connection", "close"), (SERVED_BY, &served_by)]).as_bytes())?;
    io::copy(&mut answer, &mut client).map(|_| ())
}

/// All lines up to the empty one, which is left out.
fn head(reader: &mut impl io::BufRead) -> io::Result<String> {
    let mut head = String::new();
    for line in reader.lines() {
        match line?.as_str() {
            "" if !head.is_empty() => return Ok(head),
            line => head.extend([line, "\r\n"]),
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(':')).find_map(|(found, value)| {
        let is_it = found.eq_ignore_ascii_case(name);
        is_it.then(|| value.trim())
    })
}

/// The head with these headers in place of those of their names, and its end.
fn with_headers(head: &str, headers: &[(&str, &str)]) -> String {
    let is_kept = |line: &&str| {
        let name = line.split_once(':').map_or("", |(name, _)| name);
        !headers.iter().any(|(replaced, _)| name.eq_ignore_ascii_case(replaced))
    };
    let kept = head.lines().filter(is_kept).map(str::to_owned);
    let added = headers.iter().map(|(name, value)| format!("{name}: {value}"));
    kept.chain(added).map(|line| line + "\r\n").collect::<String>() + "\r\n"
}
