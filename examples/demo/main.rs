//! `cargo run --example demo`: a small shop with a login, on sealed sessions.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use sealed_session::SessionManager;
use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::events::{Event, Observer};
use sealed_session::store::{FileStore, Sweeper};
use sealed_session_demo::options::{HELP, Options};
use sealed_session_demo::{application, keys, operator};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1);
    let Some(options) = Options::new(arguments, |variable| std::env::var(variable).ok())? else {
        print!("{HELP}");
        return Ok(());
    };
    let keys = match std::env::var_os("SESSION_KEYS") {
        Some(_) => keys::in_environment(),
        None => keys::at(&options.keys).map_err(|error| format!("{}: {error}", options.keys.display()))?,
    };
    let ring = keys.interval(options.keys_poll_interval).observer(Log).start()?;
    // Files are read and written on threads that may wait, so that one request's disk does not hold up the others.
    let runtime = tokio::runtime::Handle::current();
    let records = FileStore::builder(options.records).offload(move |call| drop(runtime.spawn_blocking(call))).open()?;
    let _sweeper = Sweeper::new(records.clone()).observer(Log).start()?;
    let manager = SessionManager::builder(ring.clone())
        .audience("sealed-session/demo")
        .key_grace(options.keys_grace)
        .lifetimes(options.lifetimes)
        .store(records)
        .timer(TokioTimer)
        // Who wants to stay logged in for longer says so at login.
        .clear_with_browser(true)
        .observer(Log)
        .build()?;
    if let Some(address) = options.operator {
        let listener = listen(address, "--operator").await?;
        println!("The keys are shown at http://localhost:{}/keys", listener.local_addr()?.port());
        tokio::spawn(serve(listener, operator::pages(manager.clone(), ring)));
    }
    let listener = listen(options.listen, "--listen").await?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    Ok(serve(listener, application(manager)).await?)
}

async fn listen(address: SocketAddr, option: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}; choose another with {option}"))
}

async fn serve(listener: TcpListener, pages: Router) -> std::io::Result<()> {
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, pages).with_graceful_shutdown(interrupted).await
}

/// Tells on standard error what happens to sessions and keys.
struct Log;

impl Observer for Log {
    fn observe(&self, event: &Event) {
        eprintln!("{event:?}");
    }
}
