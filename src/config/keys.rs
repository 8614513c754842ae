//! Where the keys are: the section `keys`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::node::{Node, TEXT};
use super::setting::{Checked, Setting, Visit, unlike};
use super::values::choices;
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
    ring: InlineRing,
    pub(super) poll_interval: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Environment,
    File,
    Directory,
    Inline,
}

choices!(Source: Environment = "environment", File = "file", Directory = "directory" or Inline = "inline");

impl Default for Keys {
    fn default() -> Self {
        Self {
            source: Source::Environment,
            variable: None,
            path: None,
            ring: InlineRing(None),
            poll_interval: Duration::from_secs(limits::KEY_POLL_SECONDS),
        }
    }
}

/// The section, with what the builder has of it.
pub(super) struct KeySection<'a> {
    pub(super) keys: &'a mut Keys,
    pub(super) grace: &'a mut Duration,
}

impl Setting for KeySection<'_> {
    fn each(&mut self, visit: &mut Visit<'_>) {
        let Keys { source, variable, path, ring, poll_interval } = self.keys;
        visit("source", source);
        let expected = "the name of a variable: letters, digits and `_`, no digit first";
        let holds = |name: &Option<String>| name.as_deref().is_none_or(is_variable_name);
        visit("variable", &mut Checked { value: variable, expected, holds });
        visit("path", path);
        visit("ring", ring);
        let expected = "one second or more, with its unit, such as `5s`";
        let holds = |interval: &Duration| interval.as_secs() > 0;
        visit("poll_interval", &mut Checked { value: poll_interval, expected, holds });
        visit("grace", self.grace);
    }
}

impl Keys {
    /// Before another place of the keys is named: what belonged to the old one goes.
    pub(super) fn forget_origin(&mut self) {
        (self.variable, self.path, self.ring) = (None, None, InlineRing(None));
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
            Source::Inline => match &self.ring.0 {
                Some(ring) => KeyOrigin::Inline { ring: ring.clone() },
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
            ("keys.ring", self.ring.0.is_some() && self.source != Source::Inline, "`inline`"),
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
struct InlineRing(Option<KeyRing>);

impl Setting for InlineRing {
    fn read(&mut self, node: &Node, path: &str) -> Result<(), ConfigError> {
        let refused = |problem: String| ConfigError::new(path.to_owned(), problem);
        self.0 = match node {
            Node::Nothing => None,
            Node::Variable(text) if text.is_empty() => None,
            Node::Text(text) | Node::Variable(text) if text.as_str() == REDACTED => {
                let problem = "these keys were left out when the configuration was written; put them in again";
                return Err(refused(problem.to_owned()));
            }
            Node::Text(text) | Node::Variable(text) => {
                Some(KeyRing::from_text(text).map_err(|error| refused(error.to_string()))?)
            }
            _ => return Err(unlike(path, "keys, as `sealed-session keygen` prints them", TEXT, node)),
        };
        Ok(())
    }

    // Security: a configuration that is written, to a log or a page of the operator, is no place for keys.
    fn write(&mut self) -> Node {
        self.0.as_ref().map_or(Node::Nothing, |_| Node::text(REDACTED))
    }
}

impl fmt::Debug for InlineRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { REDACTED } else { "None" })
    }
}
