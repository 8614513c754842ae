use std::path::{Path, PathBuf};
use std::process::Command;

use sealed_session_test_programs::{Server, demo, scratch};

/// The demo, as `cargo run --example demo` starts it, with a key file of its own.
#[derive(Debug)]
pub struct Demo {
    server: Server,
    keys: PathBuf,
}

impl Demo {
    /// Starts the demo on free ports. `name` is of this test alone.
    #[must_use]
    pub fn start(name: &str) -> Self {
        let keys = scratch(name).join("demo.keys");
        let _ = std::fs::remove_file(&keys);
        let _ = std::fs::remove_dir_all(keys.with_extension("records"));
        Self { server: Self::serve(&keys, 0), keys }
    }

    /// Ends the demo and starts it again on its port, with the same key file.
    #[must_use]
    pub fn restart(self) -> Self {
        let Self { server, keys } = self;
        let port = server.port(1);
        drop(server);
        Self { server: Self::serve(&keys, port), keys }
    }

    /// Ends the demo and starts it again on its port, with a new key.
    #[must_use]
    pub fn restart_with_another_key(self) -> Self {
        std::fs::remove_file(&self.keys).unwrap();
        self.restart()
    }

    /// The address of one of its pages.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.server.port(1))
    }

    /// The address of the operator's page of keys.
    #[must_use]
    pub fn operator_page(&self) -> String {
        format!("http://localhost:{}/keys", self.server.port(0))
    }

    /// Where its keys are.
    #[must_use]
    pub fn keys(&self) -> &Path {
        &self.keys
    }

    fn serve(keys: &Path, port: u16) -> Server {
        let mut command = Command::new(demo());
        command.arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--operator").arg("127.0.0.1:0");
        command
            .arg("--keys")
            .arg(keys)
            .env_remove("SESSION_KEYS")
            .env_remove("SESSION_RECORDS")
            .env("SESSION_KEYS_POLL_SECONDS", "1");
        Server::start(&mut command, &["shown at http://localhost:", "Listening on http://localhost:"])
    }
}
