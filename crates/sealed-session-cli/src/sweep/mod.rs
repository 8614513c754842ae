//! `sealed-session sweep`

mod address;
mod engine;
mod open;
mod passes;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sealed_session::adapter::tokio::TokioTimer;
use sealed_session::limits::SWEEP_RECORDS_MAX;
use tokio::runtime::Builder;

use crate::failure::Failure;
use crate::output;
use crate::when::duration;
use address::AddressArguments;
use engine::Engine;

const AFTER: &str = "\
An expired record exists for nobody; to sweep it frees its room. The service may
run meanwhile, and so may another sweep. Records that cannot be read stay where
they are. Redis and DynamoDB remove expired records by themselves, MongoDB where
the store's index stands.

The URL of a database may hold a password. It is read from the environment, from
a file or from standard input, never from an argument, which every user of the
machine can see; no error shows it. The database's user needs the rights SELECT
and DELETE on the store's table, in PostgreSQL UPDATE too, for the rows' locks.
TLS is a feature of the driver: cargo install --path crates/sealed-session-cli
--features postgres,sqlx/tls-rustls.

Without --every there is one sweep. With it, the first sweep shows whether the
settings are right, and the command ends if it fails; a later one that fails is
told on standard error, and the next comes at its time.

Example:
  sealed-session sweep --directory /var/lib/example-app/sessions
  sealed-session sweep --store postgres --url-from-env DATABASE_URL --every 10m

Exit codes:
  0  done
  1  the records could not be swept, or not all of them
  2  wrong usage, which includes a directory without records of a store, and a
     store that this command was built without";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    /// Kind of the store
    #[arg(long, value_enum, default_value_t = Engine::File)]
    store: Engine,

    /// Directory of a file store
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["address", "table"])]
    directory: Option<PathBuf>,

    #[command(flatten)]
    address: AddressArguments,

    /// Table of an SQL store, or collection of MongoDB [default: sealed_sessions]
    #[arg(long, value_name = "NAME", visible_alias = "collection")]
    table: Option<String>,

    /// Most records that one call removes; a sweep makes as many calls as it takes
    #[arg(long, value_name = "RECORDS", default_value_t = NonZeroUsize::new(SWEEP_RECORDS_MAX).unwrap_or(NonZeroUsize::MAX))]
    batch: NonZeroUsize,

    /// Sweep again and again, this long after the sweep before
    #[arg(long, value_name = "DURATION", value_parser = pause)]
    every: Option<Duration>,
}

fn pause(text: &str) -> Result<Duration, &'static str> {
    let pause = duration(text)?;
    if pause.is_zero() { Err("a pause has a second or more") } else { Ok(pause) }
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(name) = arguments.store.sweeps_itself() {
        return output::line(&format!("{name} removes expired records by itself; nothing was asked of it"));
    }
    // The drivers of databases need it, and the file store does not mind.
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::NotDone(format!("the runtime cannot be started: {error}")))?;
    runtime.block_on(async {
        let store = match (arguments.store, arguments.directory) {
            (Engine::File, Some(directory)) => open::directory(directory)?,
            (Engine::File, None) => {
                return Err(Failure::Usage("a file store is swept with --directory DIRECTORY".to_owned()));
            }
            (engine, Some(_)) => {
                return Err(Failure::Usage(format!("--directory is for a file store, and this is {}", engine.value())));
            }
            (engine, None) => open::database(engine, &arguments.address, arguments.table).await?,
        };
        passes::run(&*store, arguments.batch, arguments.every, &TokioTimer, tell).await
    })
}

fn tell(outcome: Result<usize, Failure>) -> Result<(), Failure> {
    match outcome {
        Ok(removed) => output::line(&format!("removed {removed} expired records")),
        Err(failure) => {
            output::remark("warning", &failure.problem());
            Ok(())
        }
    }
}
