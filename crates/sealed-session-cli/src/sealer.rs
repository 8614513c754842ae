//! What the subcommands share that read a cookie: the ring of keys, and what a cookie is bound to.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str;

use clap::Args;
use sealed_session::KeyRing;
use sealed_session::sealer::{Sealer, SealerBuilder};

use crate::failure::Failure;
use crate::input;

/// Hundreds of keys. A larger file is another file than was meant.
pub(crate) const KEY_FILE_MAX_BYTES: usize = 64 * 1024;

/// The keys, and what a cookie is bound to.
#[derive(Debug, Args)]
pub(crate) struct SealerArguments {
    /// Key file: one key a line, as `sealed-session keys` writes it
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,

    /// Exact name of the cookie, prefix included
    #[arg(long, value_name = "NAME", default_value = "__Host-session")]
    pub(crate) cookie_name: String,

    /// Audience that the application is configured with
    #[arg(long, value_name = "AUD", default_value = "", hide_default_value = true)]
    audience: String,
}

impl SealerArguments {
    /// The sealer of these keys, this name and this audience, with the default lifetimes.
    pub(crate) fn required(&self) -> Result<Sealer, Failure> {
        build(self.builder()?.ok_or_else(|| Failure::Usage("--keys FILE is needed".to_owned()))?)
    }

    /// `None` without a key file.
    pub(crate) fn builder(&self) -> Result<Option<SealerBuilder>, Failure> {
        let Some(path) = &self.keys else { return Ok(None) };
        Ok(Some(Sealer::builder(ring(path)?).cookie_name(&*self.cookie_name).audience(&*self.audience)))
    }
}

pub(crate) fn build(builder: SealerBuilder) -> Result<Sealer, Failure> {
    builder.build().map_err(|error| Failure::Usage(error.to_string()))
}

/// The ring in a key file. Security: an error names the file, the line and the rule, and shows nothing of the content.
pub(crate) fn ring(path: &Path) -> Result<KeyRing, Failure> {
    // Security: whoever gives the key in place of its file must not find it in a log.
    if looks_like_a_key(path) {
        return Err(Failure::Usage(
            "a key file is given by its name, and here is a key; put the key into a file".to_owned(),
        ));
    }
    let refused = |problem: &dyn std::fmt::Display| Failure::Usage(format!("the key file {path:?}: {problem}"));
    let text = File::open(path)
        .and_then(|file| input::read(file, KEY_FILE_MAX_BYTES))
        .map_err(|error| refused(&error))?
        .ok_or_else(|| refused(&format_args!("it has more than {KEY_FILE_MAX_BYTES} bytes; is it a key file?")))?;
    let text = str::from_utf8(&text).map_err(|_| refused(&"it is not UTF-8 text; is it a key file?"))?;
    KeyRing::from_text(text).map_err(|error| refused(&error))
}

pub(crate) fn looks_like_a_key(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["ssk1.", "hex:", "base64:", "base64url:"].iter().any(|prefix| text.trim_start().starts_with(prefix))
}
