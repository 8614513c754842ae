//! Why a value cannot be written exactly, and where in it.

use std::fmt;

use serde::ser;

use crate::error::SessionError;

/// What keeps a value from being written exactly.
#[derive(Debug)]
pub(super) struct Inexact {
    problem: String,
    /// The keys that lead to the part at fault, the innermost first.
    keys: Vec<String>,
}

impl Inexact {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), keys: Vec::new() }
    }

    /// The same one level further out: below a key.
    pub(super) fn under(mut self, key: impl fmt::Display) -> Self {
        self.keys.push(key.to_string());
        self
    }

    /// The same as an error that names the part by its path below `path`.
    pub(super) fn below(self, path: &str) -> SessionError {
        let outermost = Some(path).filter(|path| !path.is_empty());
        let segments: Vec<&str> = outermost.into_iter().chain(self.keys.iter().rev().map(String::as_str)).collect();
        SessionError::Value { path: segments.join("."), problem: self.problem }
    }
}

impl fmt::Display for Inexact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Inexact {}

impl ser::Error for Inexact {
    // Security: what a type says of its own failure is shown as it is. serde's own types name no value there.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl From<serde_json::Error> for Inexact {
    fn from(error: serde_json::Error) -> Self {
        Self::new(error.to_string())
    }
}
