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
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| unavailable(command, &error.to_string()));
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        // Ended also when a port is not told.
        let mut server = Self { child, ports: Vec::new() };
        for marker in markers {
            let port = lines.by_ref().map_while(Result::ok).find_map(|line| port_behind(&line, marker));
            server.ports.push(port.unwrap_or_else(|| unavailable(command, "it told no port")));
        }
        // Read on, or the program blocks when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        server
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

fn port_behind(line: &str, marker: &str) -> Option<u16> {
    let (_, behind) = line.split_once(marker)?;
    behind.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
