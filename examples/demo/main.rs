//! `cargo run --example demo`: a small shop with a login, on sealed sessions.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use sealed_session::store::{FileStore, Sweeper};
use sealed_session::{CookieStore, Event, KeyRing, Observer};
use sealed_session_demo::{application, keys};
use tokio::net::TcpListener;

const HELP: &str = "\
A small shop with a login, on sealed sessions.

Usage: cargo run --example demo [-- OPTIONS]

Options:
  --listen ADDRESS  where to listen; port 0 takes a free one [default: 127.0.0.1:3011]
  --keys FILE       the key file, made on the first start [default: demo.keys]
  --help            this text

Environment:
  SESSION_KEYS      keys, separated by white space or commas, in place of a file: the first seals, the rest only open
  SESSION_RECORDS   directory of the sessions that are too large for a cookie, made on the first start
                    [default: that of the key file with the ending .records: demo.records]
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some(options) = Options::from_arguments(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let ring = match std::env::var("SESSION_KEYS") {
        Ok(text) => KeyRing::from_text(&text).map_err(|error| format!("SESSION_KEYS: {error}"))?,
        Err(_) => keys::from_file(&options.keys).map_err(|error| format!("{}: {error}", options.keys.display()))?,
    };
    let records =
        std::env::var_os("SESSION_RECORDS").map_or_else(|| options.keys.with_extension("records"), PathBuf::from);
    // Files are read and written on threads that may wait, so that one request's disk does not hold up the others.
    let runtime = tokio::runtime::Handle::current();
    let records = FileStore::builder(records).offload(move |call| drop(runtime.spawn_blocking(call))).open()?;
    let _sweeper = Sweeper::new(records.clone()).observer(Log).start()?;
    let store = CookieStore::builder(ring)
        .audience("sealed-session/demo")
        .store(records)
        // Who wants to stay logged in for longer says so at login.
        .clear_with_browser(true)
        .observer(Log)
        .build()?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("{}: {error}; choose another with --listen", options.listen))?;
    // By name: browsers take `Secure` cookies over plain http from `localhost`.
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, application(store))
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

struct Options {
    listen: SocketAddr,
    keys: PathBuf,
}

impl Options {
    /// `None` when only the help was asked for.
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self { listen: SocketAddr::from(([127, 0, 0, 1], 3011)), keys: PathBuf::from("demo.keys") };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value; see --help"));
            match argument.as_str() {
                "--listen" => {
                    let text = value()?;
                    options.listen = text.parse().map_err(|_| format!("{text} is no address like 127.0.0.1:3011"))?;
                }
                "--keys" => options.keys = value()?.into(),
                "--help" => return Ok(None),
                other => return Err(format!("{other} is not known; see --help")),
            }
        }
        Ok(Some(options))
    }
}

/// Tells on standard error what happens to sessions.
struct Log;

impl Observer for Log {
    fn observe(&self, event: &Event) {
        eprintln!("{event:?}");
    }
}
