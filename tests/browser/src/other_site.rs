use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

/// A site that is not the demo: every path answers with one page, for as long as the test runs.
#[derive(Debug)]
pub struct OtherSite {
    port: u16,
}

impl OtherSite {
    /// Serves a page on a free port.
    #[must_use]
    pub fn start(page: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
            page.len()
        );
        std::thread::spawn(move || {
            // A thread for each: browsers open connections ahead that send nothing for a while.
            for connection in listener.incoming().map_while(Result::ok) {
                let answer = answer.clone();
                std::thread::spawn(move || serve(connection, &answer));
            }
        });
        Self { port }
    }

    /// Its address on a host that leads to this machine.
    #[must_use]
    pub fn address(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.port)
    }
}

/// Answers one request when its head is complete; a connection that breaks off is the browser's own matter.
fn serve(mut connection: TcpStream, answer: &str) {
    let Ok(copy) = connection.try_clone() else { return };
    if BufReader::new(copy).lines().map_while(Result::ok).any(|line| line.is_empty()) {
        let _ = connection.write_all(answer.as_bytes());
    }
}
