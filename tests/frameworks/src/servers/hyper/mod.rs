//! The application in hyper, without a framework: what an adapter does, done by hand.
//!
//! [`serve`] begins the sessions of a request, has it answered by a page, and commits them into the response. `session.rs`
//! is all that stands between hyper's headers and the session store.

mod failure;
mod forgery;
mod form;
mod pages;
mod session;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::application::{Ready, Sites};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

/// Serves the application until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        ready(listener.local_addr()?);
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Too many open files, most likely: some connection will end.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let sites = sites.clone();
            let service = service_fn(move |request| answer(sites.clone(), request));
            let connection =
                http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            // What goes wrong with a connection is its own: nobody else is told, and nothing ends.
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}

/// Begins, answers and commits.
async fn answer(sites: Sites, request: Request<Incoming>) -> Result<Response<pages::Body>, Infallible> {
    let (head, body) = request.into_parts();
    let host = head.headers.get(HOST).map(HeaderValue::as_bytes);
    let facts = session::request_facts(&head.headers);
    // Cheap: no cookie is opened before its session is asked for.
    let sessions = pages::Sessions {
        everybody: sites.of_host(host).begin(&facts),
        administration: sites.administration().begin(&facts),
    };
    let response = pages::answer(&head, body, &sessions).await.unwrap_or_else(|failure| failure.response());
    // One after the other: the second reads what the first put there. Also for a failure, which may follow a write.
    let response = session::commit(&sessions.administration, response).await;
    Ok(session::commit(&sessions.everybody, response).await)
}
