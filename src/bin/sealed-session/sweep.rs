//! `sealed-session sweep`

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use clap::{Args, ValueEnum};
use sealed_session::StoreError;
use sealed_session::store::{FileStore, RecordStore as _};

use crate::failure::Failure;
use crate::output;

const AFTER: &str = "\
An expired record exists for nobody; to sweep it frees its room. The service may
run meanwhile. Records that cannot be read stay where they are.

Example:
  sealed-session sweep --directory /var/lib/example-app/sessions

Exit codes:
  0  done
  1  the records could not be swept, or not all of them
  2  wrong usage, which includes a directory without records of a store";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Kind of the store
    #[arg(long, value_enum, default_value_t = Store::File)]
    store: Store,
    /// Directory of a file store
    #[arg(long, value_name = "DIRECTORY")]
    directory: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    File,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Store::File = arguments.store;
    // Never made: in a directory that was mistyped there is nothing to sweep.
    let store = FileStore::builder(arguments.directory).create_directory(false).open();
    let store = store.map_err(|error| Failure::Usage(error.to_string()))?;
    let removed = at_once(store.sweep(usize::MAX)).map_err(|error| Failure::NotDone(error.to_string()))?;
    output::line(&format!("removed {removed} expired records"))
}

/// The answer of a store that waits for nothing but the disk: it is polled until it is there.
fn at_once<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let mut call = pin!(call);
    loop {
        if let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answer;
        }
    }
}
