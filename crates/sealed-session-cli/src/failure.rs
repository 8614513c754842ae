//! How the command fails: what stands on standard error, and the exit code.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use sealed_session::Reason;

/// Why nothing was done. No variant carries a key, a cookie value or session data.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The cookie is not a session.
    Refused(Reason),
    /// The command was right, and the work could not be done.
    NotDone(String),
    /// What the operator gave cannot work.
    Usage(String),
    /// The work is done, and what it found is no good news; it stands on standard output.
    Findings,
    /// Whoever read standard output has gone.
    ReaderGone,
}

impl Failure {
    /// What stands behind `error: `, where a failure is not the command's end.
    pub(crate) fn problem(&self) -> String {
        match self {
            Self::NotDone(problem) | Self::Usage(problem) => problem.clone(),
            other => other.to_string().trim_end().to_owned(),
        }
    }

    /// Writes the failure to standard error and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        // There is no one left to tell when this fails too; the exit code still says it.
        let _ = write!(std::io::stderr().lock(), "{self}");
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Refused(_) | Self::NotDone(_) | Self::Findings | Self::ReaderGone => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Alone on the first line, for scripts.
            Self::Refused(Reason::Unauthentic) => writeln!(
                f,
                "{}\nhint: is it of another --audience or --cookie-name? Both are part of the seal; or somebody changed it",
                Reason::Unauthentic
            ),
            Self::Refused(reason) => writeln!(f, "{reason}"),
            Self::NotDone(problem) | Self::Usage(problem) => writeln!(f, "error: {problem}"),
            // As other tools that a closed pipe ends: without a word.
            Self::Findings | Self::ReaderGone => Ok(()),
        }
    }
}
