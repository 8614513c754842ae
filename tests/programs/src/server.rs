use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::unavailable;

/// A program that tells its ports on standard output, and is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    ports: Vec<u16>,
}

impl Server {
    /// Starts the program and waits for the lines in which these markers stand before a port, in this order.
    #[must_use]
    pub fn start(command: &mut Command, markers: &[&str]) -> Self {
        Self::try_start(command, markers).unwrap_or_else(|written| told_no_port(command, &written))
    }

    /// The same for a program that chooses its port before it takes it: where it ends because the port was gone by
    /// then, and says so with these words on standard output, it is started again, ten times in all.
    #[must_use]
    pub fn start_on_a_port_it_may_lose(command: &mut Command, markers: &[&str], lost: &str) -> Self {
        for _ in 1..10 {
            match Self::try_start(command, markers) {
                Ok(server) => return server,
                Err(written) if written.contains(lost) => {}
                Err(written) => told_no_port(command, &written),
            }
        }
        Self::start(command, markers)
    }

    /// Starts the program; what it wrote on standard output, where it ended without telling its ports.
    fn try_start(command: &mut Command, markers: &[&str]) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| unavailable(command, &error.to_string()));
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        // Ended also when a port is not told.
        let mut server = Self { child, ports: Vec::new() };
        let mut written = String::new();
        for marker in markers {
            let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
                written.push_str(&line);
                written.push('\n');
                port_behind(&line, marker)
            });
            match port {
                Some(port) => server.ports.push(port),
                None => return Err(written),
            }
        }
        // Read on, or the program blocks when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }

    /// The port behind the marker of this number, from 0 on.
    #[must_use]
    pub fn port(&self, number: usize) -> u16 {
        *self.ports.get(number).expect("so many ports were told")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told_no_port(command: &Command, written: &str) -> ! {
    unavailable(command, &format!("it told no port, and wrote {written:?}"))
}

fn port_behind(line: &str, marker: &str) -> Option<u16> {
    let (_, behind) = line.split_once(marker)?;
    behind.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch;

    const LOST: &str = "port not available";

    /// A program that loses its port at so many starts, and then tells it.
    fn losing(times: usize, name: &str) -> Command {
        let starts = scratch(name).join("starts");
        let _ = std::fs::remove_file(&starts);
        // One byte for each start.
        let script = "printf x >>\"$0\"
            if [ \"$(wc -c <\"$0\")\" -le \"$1\" ]; then echo 'the port not available, exiting'; exit 1; fi
            echo 'listening on port 4711.'
            exec sleep 60";
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg(starts).arg(times.to_string());
        command
    }

    #[test]
    fn a_program_that_lost_its_port_is_started_again() {
        let server = Server::start_on_a_port_it_may_lose(&mut losing(9, "lost-nine-times"), &["on port "], LOST);
        assert_eq!(server.port(0), 4711);
    }

    #[test]
    #[should_panic(expected = "it told no port, and wrote \"the port not available, exiting\\n\"")]
    fn one_that_always_loses_it_is_given_up_with_what_it_wrote() {
        let _ = Server::start_on_a_port_it_may_lose(&mut losing(10, "lost-ten-times"), &["on port "], LOST);
    }

    #[test]
    #[should_panic(expected = "it told no port")]
    fn another_failure_is_not_tried_again() {
        let _ = Server::start_on_a_port_it_may_lose(&mut losing(1, "lost-otherwise"), &["on port "], "another reason");
    }
}
