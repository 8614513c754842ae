//! What the demo is told when it is started: arguments, and variables of the environment.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sealed_session::Lifetimes;

/// What `--help` prints.
pub const HELP: &str = "\
A small shop with a login, on sealed sessions.

Usage: cargo run --example demo [-- OPTIONS]

Options:
  --listen ADDRESS    where to listen; port 0 takes a free one [default: 127.0.0.1:3011]
  --keys PATH         the key file, made on the first start, or a directory of them [default: demo.keys]
  --operator ADDRESS  where the operator sees the keys, under /keys; on this machine alone [default: nowhere]
  --help              this text

Environment:
  SESSION_KEYS                 keys, separated by white space or commas, in place of a file: the first seals, the rest
                               only open
  SESSION_KEYS_PATH            as --keys
  SESSION_KEYS_POLL_SECONDS    how often the key file is read [default: 5]
  SESSION_KEYS_GRACE_SECONDS   how long a superseded key may still seal, on servers that are late [default: 3600]
  SESSION_RECORDS              directory of the sessions that are too large for a cookie, made on the first start
                               [default: that of the keys with the ending .records: demo.records]
  SESSION_IDLE_SECONDS         how long a session lasts that is not used [default: 7200]
  SESSION_ABSOLUTE_SECONDS     how long any session lasts [default: 2592000]
";

/// How the demo runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the shop listens.
    pub listen: SocketAddr,
    /// Where the operator's pages listen, if anywhere.
    pub operator: Option<SocketAddr>,
    /// A key file, or a directory.
    pub keys: PathBuf,
    /// The directory of the sessions that are too large for a cookie.
    pub records: PathBuf,
    /// How often the keys are read again.
    pub keys_poll_interval: Duration,
    /// How long a superseded key may still seal.
    pub keys_grace: Duration,
    /// How long sessions last.
    pub lifetimes: Lifetimes,
}

impl Options {
    /// The options of these arguments in this environment; `None` when only the help was asked for.
    ///
    /// # Errors
    ///
    /// Names the argument or variable, and the mend.
    pub fn new(
        mut arguments: impl Iterator<Item = String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        let seconds = |name: &str, default| match variable(name) {
            Some(text) => match text.parse() {
                Ok(seconds) => Ok(Duration::from_secs(seconds)),
                Err(_) => Err(format!("{name} is {text}, and should be whole seconds, such as {default}")),
            },
            None => Ok(Duration::from_secs(default)),
        };
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3011)),
            operator: None,
            keys: variable("SESSION_KEYS_PATH").unwrap_or_else(|| "demo.keys".to_owned()).into(),
            records: PathBuf::new(),
            keys_poll_interval: seconds("SESSION_KEYS_POLL_SECONDS", 5)?,
            keys_grace: seconds("SESSION_KEYS_GRACE_SECONDS", 60 * 60)?,
            lifetimes: Lifetimes::default()
                .idle_timeout(seconds("SESSION_IDLE_SECONDS", 2 * 60 * 60)?)
                .absolute_timeout(Some(seconds("SESSION_ABSOLUTE_SECONDS", 30 * 24 * 60 * 60)?)),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value; see --help"));
            match argument.as_str() {
                "--listen" => options.listen = address(&value()?)?,
                "--operator" => options.operator = Some(operator_address(&value()?)?),
                "--keys" => options.keys = value()?.into(),
                "--help" => return Ok(None),
                other => return Err(format!("{other} is not known; see --help")),
            }
        }
        options.records =
            variable("SESSION_RECORDS").map_or_else(|| options.keys.with_extension("records"), PathBuf::from);
        Ok(Some(options))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text} is no address like 127.0.0.1:3011"))
}

// Security: a port of its own on this machine alone. Behind a proxy every request comes from this machine, so the shop's own
// port could not tell an operator from a stranger.
fn operator_address(text: &str) -> Result<SocketAddr, String> {
    let address = address(text)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!("{text} is not on this machine alone; use 127.0.0.1"))
    }
}
