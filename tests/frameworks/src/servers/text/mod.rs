//! The application over plain text: a request is read from a connection, a response is written to it, and nothing
//! but header values crosses to the session store. No framework, no async runtime, no types of anybody's.
//!
//! The same four steps fit a CGI script, an edge function, a test, or a protocol of one's own. The HTTP here is as small as
//! browsers allow, one request for each connection and a thread for each: it shows sessions, and is no server for the open
//! internet.

mod forgery;
mod form;
mod pages;
mod request;
mod response;
mod session;

use std::io::{self, BufReader, Read as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::application::{Ready, Sites};

use request::Request;
use response::Response;

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// How much more is taken of a request that was refused.
const REFUSED_MAX_BYTES: u64 = 256 * 1024;

/// Serves the application until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    ready(listener.local_addr()?);
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Too many open files, most likely: some connection will end.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        let sites = sites.clone();
        // A page that panics ends its thread, and the connection is closed with it. So is that of a client who has gone, or
        // for whom there is no thread.
        drop(thread::Builder::new().spawn(move || converse(&stream, &sites)));
    }
}

fn converse(stream: &TcpStream, sites: &Sites) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    match Request::read(&mut BufReader::new(stream))? {
        Ok(request) => answer(&request, sites).write(stream),
        Err(status) => {
            Response::empty(status).write(stream)?;
            // A connection that is closed before its bytes are read is reset, and the answer may be lost with it.
            stream.shutdown(Shutdown::Write)?;
            io::copy(&mut stream.take(REFUSED_MAX_BYTES), &mut io::sink()).map(drop)
        }
    }
}

/// All that a session needs: begin, answer, commit.
fn answer(request: &Request, sites: &Sites) -> Response {
    let facts = session::request_facts(request);
    // Cheap: no cookie is opened before its session is asked for.
    let sessions = pages::Sessions {
        everybody: sites.of_host(request.header("host")).begin(&facts),
        administration: sites.administration().begin(&facts),
    };
    let response = pages::answer(request, &sessions).unwrap_or_else(|failure| Response::empty(failure.0));
    // One after the other: the second reads what the first put there. Also for a failure, which may follow a write.
    let response = session::commit(&sessions.administration, response);
    session::commit(&sessions.everybody, response)
}
