use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

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

/// A port of loopback that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
