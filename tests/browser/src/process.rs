use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// A program that tells its port on standard output, and is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts the program and waits for the line in which `marker` stands before the port.
    pub(crate) fn start(command: &mut Command, marker: &str) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| unavailable(command, &error.to_string()));
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(marker)?.1.trim_end_matches('.').parse().ok())
            .unwrap_or_else(|| unavailable(command, "it told no port"));
        // Read on, or the program blocks when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unavailable(command: &Command, problem: &str) -> ! {
    let program = command.get_program().to_string_lossy().into_owned();
    panic!("{program} cannot be used: {problem}; `bash tests/run.sh browser` installs what is missing")
}

/// The demo, as `cargo run --example demo` starts it, with a key file of its own.
#[derive(Debug)]
pub struct Demo {
    server: Server,
    keys: PathBuf,
}

impl Demo {
    /// Starts the demo on a free port. `name` is of this test alone.
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
        let port = server.port;
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
        format!("http://localhost:{}{path}", self.server.port)
    }

    fn serve(keys: &Path, port: u16) -> Server {
        let mut command = Command::new(demo_program());
        command.arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--keys").arg(keys);
        command.env_remove("SESSION_KEYS").env_remove("SESSION_RECORDS");
        Server::start(&mut command, "Listening on http://localhost:")
    }
}

/// Builds the demo once for all tests.
fn demo_program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&root).args(["build", "--locked", "--example", "demo", "--message-format", "json"]);
        let output = command.stderr(Stdio::inherit()).output().unwrap();
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|message| message["target"]["name"] == "demo")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .unwrap_or_else(|| unavailable(&command, "the demo was not built"))
    };
    PROGRAM.get_or_init(build).clone()
}

/// A folder of one test, empty of what an earlier run left there.
pub(crate) fn scratch(name: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let folder = std::env::temp_dir().join(format!("sealed-session-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
