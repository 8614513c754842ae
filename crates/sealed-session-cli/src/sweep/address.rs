//! Where the URL of a database is read from, and that it is never shown.

use std::env::{self, VarError};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str;

use clap::Args;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input;

/// Longer is no URL.
const URL_MAX_BYTES: usize = 8 * 1024;

// Security: there is no argument for the URL itself. It may hold a password, and arguments are shown by `ps` and kept by shells.
#[derive(Debug, Args)]
pub(super) struct AddressArguments {
    /// Environment variable that holds the URL of the database
    #[arg(long, value_name = "VARIABLE", group = "address")]
    url_from_env: Option<String>,

    /// File that holds the URL and nothing else; - is standard input
    #[arg(long, value_name = "FILE", group = "address")]
    url_from_file: Option<PathBuf>,
}

/// A URL that was read, and the words for where.
pub(super) struct Address {
    pub(super) url: Zeroizing<String>,
    pub(super) place: String,
}

impl AddressArguments {
    pub(super) fn read(&self) -> Result<Address, Failure> {
        match (&self.url_from_env, &self.url_from_file) {
            (Some(variable), _) => from_variable(variable),
            (None, Some(path)) => from_file(path),
            (None, None) => Err(Failure::Usage(
                "a database is swept with --url-from-env VARIABLE or --url-from-file FILE".to_owned(),
            )),
        }
    }
}

fn from_variable(variable: &str) -> Result<Address, Failure> {
    // Security: what is no name may be the URL, given in its place by mistake.
    if variable.is_empty() || !variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Failure::Usage(
            "--url-from-env takes the name of an environment variable: letters, digits and underscores".to_owned(),
        ));
    }
    let place = format!("the environment variable {variable}");
    match env::var(variable) {
        Ok(url) => found(&Zeroizing::new(url), place),
        Err(VarError::NotPresent) => Err(Failure::Usage(format!("{place} is not set"))),
        Err(VarError::NotUnicode(_)) => Err(Failure::Usage(format!("{place} is not UTF-8 text"))),
    }
}

fn from_file(path: &Path) -> Result<Address, Failure> {
    // Security: likewise.
    if path.to_string_lossy().contains("://") {
        return Err(Failure::Usage("--url-from-file takes the name of a file that holds the URL, or -".to_owned()));
    }
    let (place, bytes) = if path == Path::new("-") {
        ("standard input".to_owned(), input::standard_input(URL_MAX_BYTES)?)
    } else {
        let bytes = File::open(path).and_then(|file| input::read(file, URL_MAX_BYTES));
        (format!("the file {path:?}"), bytes.map_err(|error| Failure::Usage(format!("the file {path:?}: {error}")))?)
    };
    let bytes = bytes.ok_or_else(|| Failure::Usage(format!("{place} has more than {URL_MAX_BYTES} bytes")))?;
    let text = str::from_utf8(&bytes).map_err(|_| Failure::Usage(format!("{place} is not UTF-8 text")))?;
    found(text, place)
}

/// Without the line's end, which editors write behind it.
fn found(text: &str, place: String) -> Result<Address, Failure> {
    let url = text.trim();
    if url.is_empty() {
        return Err(Failure::Usage(format!("{place} is empty")));
    }
    Ok(Address { url: Zeroizing::new(url.to_owned()), place })
}
