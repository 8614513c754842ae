//! A key file in a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use sealed_session::{Clock as _, Key, KeyRing, SystemClock, Timestamp};
use serde_json::Value;

use super::super::support::{Outcome, run};

/// A key file, with nothing else in its directory; both go away with their test.
#[derive(Debug)]
pub(crate) struct Ring {
    directory: PathBuf,
    path: PathBuf,
}

impl Ring {
    /// No file yet.
    pub(crate) fn none() -> Self {
        static DIRECTORIES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keys-{}-{}", std::process::id(), DIRECTORIES.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir(&directory).unwrap();
        let path = directory.join("session.keys");
        Self { directory, path }
    }

    pub(crate) fn new(content: impl AsRef<[u8]>) -> Self {
        let ring = Self::none();
        fs::write(&ring.path, content).unwrap();
        #[cfg(unix)]
        ring.set_mode(0o600);
        ring
    }

    /// A file with a line for each key and its marks.
    pub(crate) fn of<const N: usize>(marks: [&str; N]) -> (Self, [Key; N]) {
        let keys: [Key; N] = std::array::from_fn(|_| Key::generate().unwrap());
        let lines = keys.iter().zip(marks).map(|(key, marks)| format!("{} {marks}\n", *key.to_secret_text()));
        (Self::new(lines.collect::<String>()), keys)
    }

    /// Runs `keys COMMAND FILE …`.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Outcome {
        self.run_with_input(command, arguments, "")
    }

    #[track_caller]
    pub(crate) fn run_with_input(&self, command: &str, arguments: &[&str], input: &str) -> Outcome {
        let outcome = run(["keys", command, self.path()].iter().chain(arguments), input);
        assert_eq!(self.names_beside(), [] as [String; 0], "{outcome:?}");
        outcome
    }

    /// The answer of an edit that went well.
    #[track_caller]
    pub(crate) fn edit(&self, command: &str, arguments: &[&str]) -> Value {
        let outcome = self.run(command, &[&["--json"], arguments].concat());
        serde_json::from_str(outcome.line_with_remarks()).unwrap()
    }

    /// That a command fails with this exit code and message, and leaves the very file that was there.
    #[track_caller]
    pub(crate) fn assert_refused(&self, command: &str, arguments: &[&str], code: i32, problem: &str) {
        let before = self.state();
        let outcome = self.run(command, arguments);
        outcome.assert_failed(code);
        assert!(outcome.error.contains(problem), "{}", outcome.error);
        assert_eq!(self.state(), before, "{outcome:?}");
    }

    /// The content, and what tells this file from another one of the same content.
    pub(crate) fn state(&self) -> (Vec<u8>, Vec<u64>) {
        let metadata = fs::metadata(&self.path).unwrap();
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            vec![metadata.ino(), u64::from(metadata.mode()), u64::from(metadata.uid()), u64::from(metadata.gid())]
        };
        #[cfg(not(unix))]
        let identity = vec![metadata.len()];
        (fs::read(&self.path).unwrap(), identity)
    }

    pub(crate) fn content(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    pub(crate) fn ring(&self) -> KeyRing {
        KeyRing::from_text(&self.content()).unwrap()
    }

    /// The marks behind a key, and its comment.
    pub(crate) fn marks_of(&self, key: &Key) -> String {
        let (content, text) = (self.content(), key.to_secret_text());
        let line = content.lines().find_map(|line| line.strip_prefix(text.as_str())).unwrap();
        line.trim().to_owned()
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[cfg(unix)]
    pub(crate) fn mode(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(&self.path).unwrap().permissions().mode() & 0o7777
    }

    /// What stands in the directory and is not the key file: nothing, unless an edit has left its traces.
    pub(crate) fn names_beside(&self) -> Vec<String> {
        let names = fs::read_dir(&self.directory).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).filter(|name| !name.ends_with(".keys")).collect()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// An instant so many days from now, behind (`-3`) or ahead.
pub(crate) fn days(days: i64) -> String {
    let now = SystemClock.now().unix_seconds();
    let instant = now.checked_add_signed(days * 24 * 60 * 60).unwrap();
    Timestamp::from_unix_seconds(instant).to_rfc3339()
}
