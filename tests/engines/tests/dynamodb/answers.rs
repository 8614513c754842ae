//! A service of prepared answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers each request with the next of its answers, and counts the requests.
pub(crate) struct Answers {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
}

impl Answers {
    /// Status and error code, or a success where there is none. The last one is repeated.
    pub(crate) fn of(answers: &'static [(u16, Option<&'static str>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                serve(stream, answers[number.min(answers.len() - 1)]);
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(stream: TcpStream, (status, code): (u16, Option<&str>)) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let body = code.map_or_else(|| "{}".to_owned(), |code| format!(r#"{{"__type":"x#{code}","message":"not now"}}"#));
    let head = format!("HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close");
    let _ = write!(reader.get_mut(), "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}
