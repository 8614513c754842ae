//! Where the keys are: the section `keys`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::leaf::{Choice, Form, Leaf};
use super::node::Node;
use super::table::{At, Row, Rule, Slot, Table, slot};
use crate::error::ConfigError;
use crate::key::KeyRing;
use crate::limits;

/// What stands in the place of a key when a configuration is written.
const REDACTED: &str = "<redacted>";
const VARIABLE: &str = "SESSION_KEYS";

/// Where a configuration finds its keys.
///
/// ```
/// use sealed_session::key_source::KeyOrigin;
/// use sealed_session::Config;
///
/// let config = Config::from_toml("[keys]\nsource = \"file\"\npath = \"/run/secrets/session.keys\"")?;
/// assert!(matches!(config.key_origin()?, KeyOrigin::File { path } if path.ends_with("session.keys")));
/// # Ok::<(), sealed_session::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// In an environment variable, as a ring's text.
    Environment {
        /// Its name.
        variable: String,
    },
    /// In a file, as a ring's text.
    File {
        /// The file.
        path: PathBuf,
    },
    /// In the files of a directory.
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// In the configuration itself.
    Inline {
        /// The keys. Their `Debug` shows ids alone.
        ring: KeyRing,
    },
}

/// The section as it was read: each setting is good by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keys {
    source: Source,
    variable: Option<String>,
    path: Option<PathBuf>,
    ring: Option<InlineRing>,
    pub(super) poll_interval: Duration,
    pub(super) grace: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Environment,
    File,
    Directory,
    Inline,
}

impl Choice for Source {
    const ALL: &'static [(Self, &'static str)] = &[
        (Self::Environment, "environment"),
        (Self::File, "file"),
        (Self::Directory, "directory"),
        (Self::Inline, "inline"),
    ];
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            source: Source::Environment,
            variable: None,
            path: None,
            ring: None,
            poll_interval: Duration::from_secs(limits::KEY_POLL_SECONDS),
            grace: Duration::from_secs(limits::KEY_GRACE_SECONDS),
        }
    }
}

impl Table for Keys {
    const ROWS: &'static [Row<Self>] = &[
        Row::new("source", "", slot!(source)),
        Row::new(
            "variable",
            "",
            slot!(variable, "the name of a variable: letters, digits and `_`, no digit first", |name| {
                name.as_deref().is_none_or(is_variable_name)
            }),
        ),
        Row::new("path", "", slot!(path)),
        Row::new("ring", "", slot!(ring)),
        Row::new(
            "poll_interval",
            "",
            slot!(poll_interval, "one second or more, with its unit, such as `5s`", |interval| interval.as_secs() > 0),
        ),
        Row::new("grace", "key_grace", slot!(grace)),
    ];
}

impl Keys {
    /// Before another place of the keys is named: what belonged to the old one goes.
    pub(super) fn forget_origin(&mut self) {
        (self.variable, self.path, self.ring) = (None, None, None);
    }

    pub(super) fn origin(&self) -> Result<KeyOrigin, ConfigError> {
        self.check_that_nothing_is_left_over()?;
        let path = || {
            let missing = "the source is a file or a directory; give its path";
            self.path.clone().ok_or_else(|| ConfigError::new("keys.path", missing))
        };
        Ok(match self.source {
            Source::Environment => KeyOrigin::Environment { variable: self.variable().to_owned() },
            Source::File => KeyOrigin::File { path: path()? },
            Source::Directory => KeyOrigin::Directory { path: path()? },
            Source::Inline => match &self.ring {
                Some(InlineRing(ring)) => KeyOrigin::Inline { ring: ring.clone() },
                None => return Err(ConfigError::new("keys.ring", "the source is `inline`; give the keys here")),
            },
        })
    }

    /// The variable that holds the keys, if one does.
    pub(super) fn keys_variable(&self) -> Option<&str> {
        (self.source == Source::Environment).then(|| self.variable())
    }

    fn variable(&self) -> &str {
        self.variable.as_deref().unwrap_or(VARIABLE)
    }

    // Security: a path or a ring that is not used looks as if it were: nobody would notice which keys seal.
    fn check_that_nothing_is_left_over(&self) -> Result<(), ConfigError> {
        let is_path = matches!(self.source, Source::File | Source::Directory);
        for (setting, is_left_over, sources) in [
            ("keys.variable", self.variable.is_some() && self.source != Source::Environment, "`environment`"),
            ("keys.path", self.path.is_some() && !is_path, "`file` and `directory`"),
            ("keys.ring", self.ring.is_some() && self.source != Source::Inline, "`inline`"),
        ] {
            if is_left_over {
                let mend = format!("it is used by the source {sources} alone; take it out, or change `keys.source`");
                return Err(ConfigError::new(setting, mend));
            }
        }
        Ok(())
    }
}

fn is_variable_name(name: &str) -> bool {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins_well && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// Keys in the configuration itself. They are parsed where they are read, and their text is wiped.
#[derive(Clone, PartialEq)]
struct InlineRing(KeyRing);

impl Leaf for InlineRing {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let Node::Text(text) = node else {
            return Err(at.unlike("keys, as `sealed-session keygen` prints them", Form::Text, node));
        };
        if text.as_str() == REDACTED {
            return Err(at.error("these keys were left out when the configuration was written; put them in again"));
        }
        KeyRing::from_text(text).map(Self).map_err(|error| at.error(error.to_string()))
    }

    // Security: a configuration that is written, to a log or a page of the operator, is no place for keys.
    fn write(&self) -> Node {
        Node::text(REDACTED)
    }
}

impl fmt::Debug for InlineRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}
