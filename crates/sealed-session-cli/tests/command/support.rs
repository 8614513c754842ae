//! Runs the command, and keeps its key files.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use sealed_session::{Key, RequestFacts, ResponseFacts, Session, SessionManagerBuilder, Suite, Timestamp};
use serde_json::Value;

pub(crate) const SUITES: [Suite; 2] = [Suite::Xaes, Suite::XChaCha];

/// What one run of the command left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) error: String,
}

impl Outcome {
    /// The one line on standard output, of a run that went well.
    #[track_caller]
    pub(crate) fn line(&self) -> &str {
        assert_eq!(self.error, "", "{self:?}");
        self.line_with_remarks()
    }

    /// The one line on standard output, of a run that went well and had something to remark on standard error.
    #[track_caller]
    pub(crate) fn line_with_remarks(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        let line = self.output.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.line()).unwrap()
    }

    /// That the run failed with this exit code, and printed nothing.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32) {
        assert_eq!((self.code, self.output.as_str()), (code, ""), "{self:?}");
    }

    /// The JSON that was printed, of a run that failed with exit code 1 and this on standard error.
    #[track_caller]
    pub(crate) fn json_of_failure(&self, error: &str) -> Value {
        assert_eq!((self.code, self.error.as_str()), (1, error), "{self:?}");
        serde_json::from_str(&self.output).unwrap()
    }

    /// That the cookie was refused, with its reason code alone on a line.
    #[track_caller]
    pub(crate) fn assert_refused(&self, reason: &str) {
        self.assert_failed(1);
        let error = format!("{reason}\n");
        assert_eq!(self.error, if error.starts_with("unauthentic") { UNAUTHENTIC } else { &error });
    }
}

/// The reason code, and the mistake that it mostly comes from.
pub(crate) const UNAUTHENTIC: &str = "unauthentic\n\
    hint: is it of another --audience or --cookie-name? Both are part of the seal; or somebody changed it\n";

/// A time of an answer, in seconds since 1970.
#[track_caller]
pub(crate) fn seconds(time: &Value) -> u64 {
    Timestamp::from_rfc3339(time.as_str().unwrap()).unwrap().unix_seconds()
}

/// Runs the command to its end with this on standard input.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>, input: impl AsRef<[u8]>) -> Outcome {
    let mut child = start(arguments);
    // The command may have ended, or seen enough, before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    end(child)
}

pub(crate) fn start<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Child {
    start_with(&[], arguments)
}

/// Starts the command with these variables in its environment.
pub(crate) fn start_with<S: AsRef<OsStr>>(variables: &[(&str, &str)], arguments: impl IntoIterator<Item = S>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sealed-session"))
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[track_caller]
pub(crate) fn end(child: Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    let [standard_output, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!error.contains("panicked"), "{error}");
    for text in [&standard_output, &error] {
        assert!(text.is_empty() || (text.ends_with('\n') && !text.ends_with("\n\n")), "{text:?}");
    }
    Outcome { code: output.status.code().unwrap(), output: standard_output, error }
}

/// A file that goes away with its test.
#[derive(Debug)]
pub(crate) struct KeyFile(PathBuf);

impl KeyFile {
    pub(crate) fn new(content: impl AsRef<[u8]>) -> Self {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{}-{}.keys", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    /// A file of these keys, the first of which seals.
    pub(crate) fn of(keys: &[&Key]) -> Self {
        Self::new(keys.iter().map(|key| format!("{}\n", *key.to_secret_text())).collect::<String>())
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Seals with the default name and audience.
    #[track_caller]
    pub(crate) fn seal(&self, json: &str) -> String {
        run(["seal", "--keys", self.path(), "--ttl", "3600"], json).line().to_owned()
    }

    /// Opens with the default name and audience.
    #[track_caller]
    pub(crate) fn open(&self, input: impl AsRef<[u8]>) -> Outcome {
        run(["open", "--keys", self.path()], input)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The value of the cookie that an application sends for a session.
pub(crate) fn sent_by(application: SessionManagerBuilder, fill: impl FnOnce(&Session)) -> String {
    pollster::block_on(async {
        let pending = application.build().unwrap().begin(&RequestFacts::new());
        fill(&pending.session().await.unwrap());
        let commit = pending.commit(&ResponseFacts::new(200)).await.unwrap();
        let (name_and_value, _) = commit.set_cookies[0].split_once(';').unwrap();
        name_and_value.strip_prefix("__Host-session=").unwrap().to_owned()
    })
}

/// That no part of a secret stands in a text, not even six characters of it.
#[track_caller]
pub(crate) fn assert_hides(text: &str, secret: &str) {
    for start in 0..secret.len() - 5 {
        assert!(!text.contains(&secret[start..start + 6]), "{text}");
    }
}
