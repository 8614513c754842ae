//! `sealed-session keygen`

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use sealed_session::{Key, Suite};

use crate::failure::Failure;
use crate::output;

const AFTER: &str = "\
The key is 32 bytes from the operating system's random source. Its text form is
ssk1.SUITE.KEY_ID.SECRET; the key id is public and stands in every cookie that
the key seals, the secret is what nobody else may know.

Keep it in a file that the application alone can read. `sealed-session keys`
makes and rotates such files by itself; keygen is for keys that are kept
elsewhere, in an environment variable or a secret store. In a plain list of keys
the first seals, and the others open what they once sealed.

Without --suite, standard error says which one was chosen, and why.

Example:
  (umask 077; sealed-session keygen > session.keys)

Exit codes:
  0  done
  1  no random bytes could be had, or the key could not be written
  2  wrong usage";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(crate) struct Arguments {
    #[command(flatten)]
    suite: SuiteArgument,
}

#[derive(Debug, Args)]
pub(crate) struct SuiteArgument {
    /// Cipher of the key: xaes is XAES-256-GCM, xchacha is XChaCha20-Poly1305
    /// [default: the faster one on this machine]
    #[arg(long, value_name = "SUITE", value_parser = suite_parser(), verbatim_doc_comment)]
    pub(crate) suite: Option<Suite>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let suite = arguments.suite.suite.unwrap_or_else(proposed);
    let key = Key::generate_with(suite).map_err(|error| Failure::NotDone(error.to_string()))?;
    output::line(&key.to_secret_text())
}

/// The suite for this machine, with the reason on standard error: the key may be meant for other machines.
fn proposed() -> Suite {
    let suite = Suite::fastest_here();
    let reason = match suite {
        Suite::Xaes => "this machine has AES instructions, which make it the faster one",
        _ => "this machine has no AES instructions, without which it is the faster one",
    };
    output::remark("suite", &format!("{}: {reason}; --suite chooses for other machines", suite.name()));
    suite
}

fn suite_parser() -> impl clap::builder::TypedValueParser<Value = Suite> {
    PossibleValuesParser::new([Suite::Xaes.name(), Suite::XChaCha.name()])
        .try_map(|name| Suite::from_name(&name).ok_or("there is no such suite"))
}
