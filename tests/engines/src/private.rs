use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use crate::program::Installation;
use crate::{Engine, Server, free_port, unique_name};

/// A minute, and longer where the asking itself takes its time.
const START_QUESTIONS: usize = 3000;
const PAUSE: Duration = Duration::from_millis(20);

/// An engine that belongs to one test, which may kill it: its files and its port stay the same when it is started again.
///
/// Nothing about durability is turned off in it, so that what it has acknowledged is there after a kill.
#[derive(Debug)]
pub struct PrivateEngine {
    installation: Installation,
    server: Option<Server>,
}

impl PrivateEngine {
    /// Starts an engine in a folder of its own, with these further arguments, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start, with the end of its log; and for DynamoDB, whose stand-in keeps nothing.
    #[must_use]
    pub fn start(engine: Engine, options: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(unique_name("sealed_session_engine"));
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let installation = Installation { engine, folder, port: free_port(), options };
        installation.prepare();
        let mut private = Self { installation, server: None };
        private.start_again();
        private.installation.finish();
        private
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.installation.url()
    }

    /// The port of loopback at which it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.installation.port
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.installation.folder
    }

    /// Ends it with SIGKILL.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill(&mut self) {
        self.server.take().expect("it runs").kill();
    }

    /// Starts it on the same files and the same port, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not answer within a minute, with the end of its log.
    pub fn start_again(&mut self) {
        for _ in 0..START_QUESTIONS {
            // A server may refuse to start until the last process of the one before has seen that it is orphaned.
            if !self.server.as_mut().is_some_and(Server::is_running) {
                self.server = Some(self.launch());
            }
            if self.installation.answers() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        panic!("{:?} did not start:\n{}", self.installation.engine, lines[lines.len().saturating_sub(20)..].join("\n"));
    }

    fn launch(&self) -> Server {
        let line = self.installation.server();
        let arguments: Vec<_> = line[1..].iter().map(String::as_str).collect();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        Server::start_with_output(&line[0], &arguments, log)
    }

    fn log(&self) -> std::path::PathBuf {
        self.installation.folder.join("log")
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        self.server = None;
        let _ = fs::remove_dir_all(&self.installation.folder);
    }
}
