use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// A server that belongs to one test: killed when this is dropped, and when the test's process ends.
#[derive(Debug)]
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a program. It ends with the thread that called this.
    ///
    /// # Panics
    ///
    /// When there is no such program; the mend is `bash tests/run.sh engines`, which installs it.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_with_output(program, arguments, Stdio::null())
    }

    pub(crate) fn start_with_output(program: &str, arguments: &[&str], output: impl Into<Stdio>) -> Self {
        let mut command = Command::new("setpriv");
        // The kernel ends what a test that was itself killed could not end.
        command.args(["--pdeathsig", "KILL", "--", program]).args(arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(output).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{program} cannot be started: {error}; `bash tests/run.sh engines` installs what is missing")
        });
        Self { child }
    }

    /// Whether it has not ended by itself.
    ///
    /// # Panics
    ///
    /// When the kernel does not say so.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it with SIGKILL, so that it cannot say goodbye, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A port of loopback that nobody listens on, and that no connection is given by chance: a server that is ended finds it
/// free again.
#[must_use]
pub fn free_port() -> u16 {
    // Below the ports that systems give to connections (Linux: 32768, IANA: 49152). Processes of one run begin apart.
    let first = 10_000 + (std::process::id() % 200) * 100;
    let mut ports = (first..32_000).chain(10_000..first).filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| is_unused(*port)).unwrap()
}

/// No two threads are told the same port.
fn is_unused(port: u16) -> bool {
    static TOLD: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    TOLD.lock().unwrap().insert(port) && TcpListener::bind(("127.0.0.1", port)).is_ok()
}
