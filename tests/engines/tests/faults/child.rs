//! A process that commits, and is killed.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{self, ChildStdout, Command, Stdio};
use std::time::Duration;

use sealed_session::testing::ManualClock;
use sealed_session::{Key, Placement, RequestFacts, ResponseFacts};
use sealed_session_engine_tests::{Browser, Runner};

use crate::commits::Commit;
use crate::site::{Kind, NOW_UNIX_SECONDS, Site, server};

const JOB: &str = "SEALED_SESSION_TEST_JOB";
const TEST: &str = "the_process_that_is_killed";
const SEPARATOR: &str = "\n";
const READY: &str = "ready to commit";
const DONE: &str = "committed";

/// What a process is to do.
pub(crate) struct Job {
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) name: String,
    key: String,
    cookie: String,
    pub(crate) work: String,
}

impl Job {
    pub(crate) fn of<K: Kind>(site: &Site<K>, kind: &str, url: &str, browser: &Browser, work: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            url: url.to_owned(),
            name: site.name.clone(),
            key: site.key.to_secret_text().to_string(),
            cookie: browser.jar.cookie_header(),
            work: work.to_owned(),
        }
    }

    /// The job of this process.
    pub(crate) fn mine() -> Self {
        let job = env::var(JOB).expect("the tests that kill a process start this one");
        let mut parts = job.split(SEPARATOR).map(str::to_owned);
        let mut next = || parts.next().unwrap();
        Self { kind: next(), url: next(), name: next(), key: next(), cookie: next(), work: next() }
    }

    pub(crate) fn key(&self) -> Key {
        Key::from_text(&self.key).unwrap()
    }

    pub(crate) fn browser(&self, clock: &ManualClock) -> Browser {
        let (mut browser, (name, value)) = (Browser::new(clock), self.cookie.split_once('=').unwrap());
        browser.jar.plant(name, value);
        browser
    }

    /// Loads the session, waits for the word, and commits.
    pub(crate) fn run<K: Kind>(&self) {
        let commit = Commit::named(&self.work);
        Runner::new().block_on(async {
            let clock = ManualClock::at_unix_seconds(NOW_UNIX_SECONDS + commit.seconds_later);
            let records = K::connect(&self.url, &self.name, &clock).await;
            let server = server(&self.key(), &clock, records);
            let server = server.placement(Placement::Spill).build().unwrap();
            let pending = server.begin(&RequestFacts::new().cookie_header(self.cookie.as_bytes()));
            (commit.act)(&pending.session().await.unwrap());
            say(READY);
            let _ = std::io::stdin().read_exact(&mut [0]);
            let _ = pending.commit(&ResponseFacts::new(200)).await.unwrap();
            say(DONE);
        });
    }
}

/// Not `println!`: the test harness would keep it to itself. On a line of its own, for the harness has begun one.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    write!(out, "\n{line}\n").and_then(|()| out.flush()).unwrap();
}

/// The process of a job.
pub(crate) struct Child {
    process: process::Child,
    out: BufReader<ChildStdout>,
}

impl Child {
    /// Starts this test's program again, behind another one where arguments before it are given.
    pub(crate) fn start(job: &Job, before: &[&str]) -> Self {
        let program = env::current_exe().unwrap().display().to_string();
        let mut line = before.to_vec();
        line.extend([&*program, "--ignored", "--exact", "--nocapture", "--test-threads", "1", TEST]);
        let Job { kind, url, name, key, cookie, work } = job;
        let job = [kind, url, name, key, cookie, work].map(String::as_str).join(SEPARATOR);
        let mut command = Command::new(line[0]);
        let command = command.args(&line[1..]).env(JOB, job).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(process.stdout.take().unwrap());
        Self { process, out }
    }

    /// The next line that it says, or `None` at its end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.out.read_line(&mut line).unwrap();
        (length > 0).then(|| line.trim_end().to_owned())
    }

    pub(crate) fn wait_until_ready(&mut self) {
        while self.line().expect("the process ended before it was ready") != READY {}
    }

    pub(crate) fn go(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Waits for the end of the process, or for something else: whether it was its end.
    pub(crate) fn has_ended_or(&mut self, is_so: impl Fn() -> bool) -> bool {
        for _ in 0..60_000 {
            if is_so() {
                return false;
            }
            if self.process.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the process neither ended nor was held");
    }

    /// SIGKILL; whether it had committed before.
    pub(crate) fn kill(&mut self) -> bool {
        self.kill_and_read().lines().any(|line| line == DONE)
    }

    /// SIGKILL; what it had said before, and was not yet read.
    pub(crate) fn kill_and_read(&mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.rest()
    }

    /// Waits for its end: whether it had committed, and the signal that ended it.
    pub(crate) fn end(&mut self) -> (bool, Option<i32>) {
        let signal = self.process.wait().unwrap().signal();
        (self.rest().lines().any(|line| line == DONE), signal)
    }

    fn rest(&mut self) -> String {
        let mut said = String::new();
        self.out.read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
