//! The Redis that all of them use, and what it is asked.

use redis::{Client, ConnectionAddr};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A Redis that was started for the measurement.
#[derive(Debug)]
pub struct Server {
    url: String,
}

impl Server {
    /// The one that the environment names.
    ///
    /// # Panics
    ///
    /// When it names none.
    #[must_use]
    pub fn from_environment() -> Self {
        let url = std::env::var("SEALED_REDIS_URL").unwrap_or_else(|_| {
            panic!(
                "SEALED_REDIS_URL is not set: start Redis beside the measurement with `bash tests/lib/engines.sh run redis -- \
                 cargo bench --manifest-path benches/Cargo.toml --bench stores`"
            )
        });
        Self { url }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The version that the server tells.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub async fn version(&self) -> String {
        let mut connection = self.client().get_multiplexed_async_connection().await.expect("the server is there");
        let told: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.expect("it answers");
        let version = told.lines().find_map(|line| line.strip_prefix("redis_version:"));
        version.expect("it tells its version").to_owned()
    }

    /// The commands that clients send while the work is done, one after the other. What a script calls is not among them.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub async fn commands_of(&self, work: impl Future<Output = ()>) -> Vec<String> {
        const END: &str = "the work is done";
        let client = self.client();
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
            panic!("an address of TCP was expected")
        };
        let mut connection = client.get_multiplexed_async_connection().await.expect("the server is there");
        let monitor = TcpStream::connect((host.as_str(), *port)).await.expect("the server is there");
        let mut monitor = BufReader::new(monitor);
        monitor.write_all(b"MONITOR\r\n").await.expect("the server is there");
        assert_eq!(line(&mut monitor).await, "+OK");

        work.await;
        let _: String = redis::cmd("ECHO").arg(END).query_async(&mut connection).await.expect("the server answers");
        let mut commands = Vec::new();
        loop {
            let line = line(&mut monitor).await;
            if line.contains(END) {
                return commands;
            }
            // `+1795000000.000001 [0 127.0.0.1:50000] "GET" "key"`, and `[0 lua]` for what a script calls.
            let (client, command) = line.split_once("] \"").expect("it is a command");
            if !client.ends_with(" lua") {
                commands.push(command.split('"').next().unwrap_or_default().to_ascii_uppercase());
            }
        }
    }

    fn client(&self) -> Client {
        Client::open(self.url()).expect("it is an address")
    }
}

async fn line(monitor: &mut BufReader<TcpStream>) -> String {
    let mut line = Vec::new();
    monitor.read_until(b'\n', &mut line).await.expect("the server is there");
    String::from_utf8_lossy(&line).trim_end().to_owned()
}
