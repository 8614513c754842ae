use super::{DirectorySource, EnvironmentSource, FileSource, KeySource};
use crate::config::KeyOrigin;
use crate::error::KeySourceError;
use crate::key::KeyRing;

/// The source that a configuration names.
///
/// ```
/// use sealed_session::key_source::KeyWatch;
/// use sealed_session::{Config, SessionManager, Key, Stores};
///
/// # let text = Key::generate()?.to_secret_text().to_string();
/// # let config = Config::from_toml(&format!("keys = {{ source = \"inline\", ring = \"{text}\" }}"))?;
/// let ring = KeyWatch::new(config.key_origin()?).interval(config.key_poll_interval()).start()?;
/// let manager = SessionManager::builder(ring).configured(&config, &Stores::new())?.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl KeySource for KeyOrigin {
    fn load(&self) -> Result<KeyRing, KeySourceError> {
        match self {
            Self::Environment { variable } => EnvironmentSource::new(variable).load(),
            Self::File { path } => FileSource::new(path).load(),
            Self::Directory { path } => DirectorySource::new(path).load(),
            Self::Inline { ring } => Ok(ring.clone()),
        }
    }

    fn may_change(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Directory { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::key::Key;

    fn origin(keys: &str) -> KeyOrigin {
        Config::from_toml(&format!("[keys]\n{keys}")).unwrap().key_origin().unwrap()
    }

    #[test]
    fn each_origin_is_read_by_its_source() {
        let key = Key::generate().unwrap();
        let (ring, key) = (KeyRing::new(key.clone()), key.to_secret_text());
        let folder = std::env::temp_dir().join(format!("sealed-session-key-origin-{}", std::process::id()));
        let file = folder.join("session.keys");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, key.as_str()).unwrap();
        let origins = [
            (origin(&format!("source = \"inline\"\nring = '''{}'''", key.as_str())), false),
            (origin(&format!("source = \"file\"\npath = '{}'", file.display())), true),
            (origin(&format!("source = \"directory\"\npath = '{}'", folder.display())), true),
        ];
        for (origin, may_change) in origins {
            assert_eq!(origin.load().unwrap(), ring, "{origin:?}");
            assert_eq!(origin.may_change(), may_change, "{origin:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_variable_is_looked_for_by_its_name() {
        let origin = origin("variable = \"SEALED_SESSION_TEST_NO_SUCH_VARIABLE\"");
        assert!(!origin.may_change());
        let error = origin.load().unwrap_err().to_string();
        assert!(error.contains("SEALED_SESSION_TEST_NO_SUCH_VARIABLE"), "{error}");
    }
}
