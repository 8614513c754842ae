//! What the command prints.

use std::io::{self, ErrorKind, Write as _};

use crate::failure::Failure;

/// Writes one line to standard output.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    write(text).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::ReaderGone,
        _ => Failure::NotDone(format!("standard output cannot be written: {error}")),
    })
}

/// Writes a line that the outcome does not depend on to standard error.
pub(crate) fn remark(kind: &str, text: &str) {
    // There is no one left to tell when this fails.
    let _ = writeln!(io::stderr().lock(), "{kind}: {text}");
}

fn write(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.write_all(b"\n")?;
    // Or a full disk would be noticed after the exit code is settled.
    output.flush()
}
