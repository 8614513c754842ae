//! Help, version, and arguments that cannot work.

use std::process::ExitCode;

use clap::Error;
use clap::error::{ContextKind, ContextValue};

/// Every flag and subcommand of the command is shorter; cookie values, keys and tokens are longer.
const SHOWN_MAX_CHARACTERS: usize = 24;

/// Prints what clap has to say, and gives the exit code: 0 for help and version, otherwise 2.
pub(crate) fn show(mut error: Error) -> ExitCode {
    hide_long_words(&mut error);
    match error.print() {
        Ok(()) => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
        Err(_) => ExitCode::from(1),
    }
}

// Security: who gives a cookie, a key or the URL of a database as an argument by mistake must not find it in a log.
fn hide_long_words(error: &mut Error) {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(word)) = error.get(kind) else { continue };
        let characters = word.chars().count();
        if characters > SHOWN_MAX_CHARACTERS || word.contains("://") {
            error.insert(kind, ContextValue::String(format!("({characters} characters, not shown)")));
            for suggestion in [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
                error.remove(suggestion);
            }
        }
    }
}
