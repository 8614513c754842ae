//! Whole requests over loopback: `wrk` with 16 connections, and a server with one thread, in another process.
//!
//! Every request carries the session cookie that the server gave before; where the session is written, the handler counts in
//! it. The cases take turns, and each figure is the best of its rounds.

mod actix;
mod axum_servers;
mod http_client;
mod wrk;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Key, SessionManager};
use sealed_session_benches::machine::machine;
use sealed_session_benches::rounds::{is_test, option};

use self::wrk::Figures;

const ROUNDS: usize = 12;

/// What a server answers where no session is used.
const HELLO: &str = "hello";
/// The key of the counter.
const COUNT: &str = "n";

const BARE_AXUM: &str = "axum";
const OURS_AXUM: &str = "axum, sealed-session";
const TOWER_SESSIONS: &str = "axum, tower-sessions in memory";
const AXUM_EXTRA: &str = "axum, axum-extra's private jar";
const BARE_ACTIX: &str = "actix-web";
const OURS_ACTIX: &str = "actix-web, sealed-session";
const ACTIX_SESSION: &str = "actix-web, actix-session in a cookie";
const SERVERS: [&str; 7] = [BARE_AXUM, OURS_AXUM, TOWER_SESSIONS, AXUM_EXTRA, BARE_ACTIX, OURS_ACTIX, ACTIX_SESSION];

fn main() {
    if let Some(name) = option("--serve") {
        return serve(&name);
    }
    println!("{}, {}\n", machine(), wrk::version());
    let servers: Vec<_> = SERVERS.into_iter().map(Server::start).collect();
    let cookie = servers[1].cookie.clone().expect("ours sets a cookie");
    let mut cases = Vec::new();
    for server in &servers {
        let given = server.cookie.as_ref().unwrap_or(&cookie);
        cases.push(Case::new(server, "unused", "/", given));
        if server.cookie.is_some() {
            cases.push(Case::new(server, "written", "/count", given));
        }
    }
    for _ in 0..if is_test() { 1 } else { ROUNDS } {
        for case in &mut cases {
            case.best = case.best.better(wrk::run(&case.url, &case.cookie, case.process));
        }
    }
    println!(
        "| server | session | requests a second | 99th percentile, microseconds | microseconds on the server's processor |"
    );
    println!("|---|---|---|---|---|");
    for Case { server, session, best: Figures { requests_a_second, percentile_99, on_processor }, .. } in &cases {
        let session = if [BARE_AXUM, BARE_ACTIX].contains(server) { "none" } else { session };
        println!("| {server} | {session} | {requests_a_second:.0} | {percentile_99:.0} | {on_processor:.1} |");
    }
    println!();
    goals(&cases);
    if is_test() {
        println!("Success: every server was asked");
    }
}

struct Case {
    server: &'static str,
    session: &'static str,
    process: u32,
    url: String,
    cookie: String,
    best: Figures,
}

impl Case {
    fn new(server: &Server, session: &'static str, path: &str, cookie: &str) -> Self {
        let url = format!("http://{}{path}", server.address);
        let process = server.process.id();
        Self { server: server.name, session, process, url, cookie: cookie.to_owned(), best: Figures::NONE }
    }
}

/// What issue 12 asks for, and what was reached.
fn goals(cases: &[Case]) {
    println!("| goal | requests a second | time on the processor |");
    println!("|---|---|---|");
    for (what, [server, session], [other, others], goal) in [
        ("unused, part of bare axum", [OURS_AXUM, "unused"], [BARE_AXUM, "unused"], 0.97),
        ("unused, part of bare actix-web", [OURS_ACTIX, "unused"], [BARE_ACTIX, "unused"], 0.97),
        ("written, times `tower-sessions` in memory", [OURS_AXUM, "written"], [TOWER_SESSIONS, "written"], 1.0),
        ("written, times axum-extra's private jar", [OURS_AXUM, "written"], [AXUM_EXTRA, "written"], 1.0),
        ("written, times `actix-session` in a cookie", [OURS_ACTIX, "written"], [ACTIX_SESSION, "written"], 1.0),
    ] {
        let of = |server: &str, session: &str| {
            let case = cases.iter().find(|case| (case.server, case.session) == (server, session));
            case.expect("it was measured").best
        };
        let (ours, theirs) = (of(server, session), of(other, others));
        let cell = |ratio: f64| format!("{ratio:.3}, {}", if ratio >= goal { "met" } else { "**not met**" });
        let by_requests = cell(ours.requests_a_second / theirs.requests_a_second);
        let by_processor = cell(theirs.on_processor / ours.on_processor);
        println!("| {what}: ≥ {goal} | {by_requests} | {by_processor} |");
    }
    println!();
}

/// A process that serves until it is ended or its standard input is.
struct Server {
    name: &'static str,
    process: Child,
    address: SocketAddr,
    /// The pair that it gave, if it has sessions.
    cookie: Option<String>,
}

impl Server {
    fn start(name: &'static str) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut process = Command::new(program)
            .args(["--serve", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says its address");
        let address = line.trim().parse().unwrap_or_else(|_| panic!("{name} says no address"));
        let mut server = Self { name, process, address, cookie: None };
        server.check();
        server
    }

    /// It counts in its session, or has none.
    fn check(&mut self) {
        assert_eq!(http_client::get(self.address, "/", None), (None, HELLO.to_owned()), "{}", self.name);
        if [BARE_AXUM, BARE_ACTIX].contains(&self.name) {
            return;
        }
        let (cookie, body) = http_client::get(self.address, "/count", None);
        assert_eq!(body, "1", "{}", self.name);
        let (_, body) = http_client::get(self.address, "/count", cookie.as_deref());
        assert_eq!(body, "2", "{}", self.name);
        self.cookie = cookie;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(name: &str) {
    std::thread::spawn(|| {
        // The end of the input is the end of whoever started this process.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    match name {
        BARE_AXUM | OURS_AXUM | TOWER_SESSIONS | AXUM_EXTRA => axum_servers::serve(name),
        BARE_ACTIX | OURS_ACTIX | ACTIX_SESSION => actix::serve(name),
        _ => panic!("no such server: {name}"),
    }
}

/// Prints the address for whoever started this process.
fn serves_at(address: SocketAddr) {
    println!("{address}");
}

fn manager() -> SessionManager {
    SessionManager::builder(Key::generate().expect("random bytes"))
        .audience("example-app/bench")
        .cookie(CookieAttributes::new().name("s"))
        .build()
        .expect("the settings are good")
}
