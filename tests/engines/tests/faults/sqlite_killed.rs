//! A process that is killed while it writes to SQLite.
//!
//! There are no messages to hold back. The kernel ends a process at the first byte that makes a file longer than its limit says
//! (SIGXFSZ, which nothing here catches), so that each commit is made by processes whose write-ahead log may grow by no byte,
//! by a few more, and so on: they end between the writes to the log and in the midst of each. A checkpoint writes to the
//! database itself, which is longer already: there the second rule kills at moments that chance chooses.

use std::collections::BTreeSet;
use std::fs;

use sealed_session::Placement;
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Runner;
use tokio::task::JoinSet;

use crate::child::{Child, Job, say};
use crate::commits::{COMMITS, Commit};
use crate::site::{FILLER_BYTES, Site, count_one_up, server};
use crate::sql::{assert_whole, open_with_checkpoints};
use crate::sqlite::{Sqlite, file};

/// A frame of the log has 4120 bytes: each is cut at its beginning, and in several places within.
const STEP_BYTES: u64 = 1373;
/// The log's index beside it, which the limit must not meet.
const INDEX_BYTES: u64 = 32 * 1024;
const SIGXFSZ: i32 = 25;

pub(crate) fn a_process_ended_at_any_write_of_a_commit_leaves_the_old_session_or_the_new() {
    for commit in COMMITS {
        end_within_each_write(commit);
    }
}

fn end_within_each_write(commit: &Commit) {
    let site = Site::<Sqlite>::new();
    let log_bytes = || fs::metadata(file(&site.url).with_extension("sqlite-wal")).unwrap().len();
    // Held, so that nobody is the last to close the database, who would write everything back and remove the log.
    let server = site.block_on(site.server());
    while log_bytes() < 2 * INDEX_BYTES {
        let write = |session: &sealed_session::Session| session.put("filler", &"f".repeat(FILLER_BYTES)).unwrap();
        site.block_on(site.browser().visit(&server, write)).unwrap();
    }
    let mut found = BTreeSet::new();
    for step in 0.. {
        let browser = site.block_on(commit.begun(&site));
        let limit = log_bytes() + step * STEP_BYTES;
        let before = ["prlimit", &format!("--fsize={limit}"), "--core=0", "--"];
        let mut child = Child::start(&Job::of(&site, "sqlite", &site.url, &browser, commit.name), &before);
        child.wait_until_ready();
        child.go();
        let (is_done, signal) = child.end();
        let what = format!("`{}`, ended at {} bytes of the log", commit.name, step * STEP_BYTES);
        let seen = site.block_on(commit.look(&site, browser, &what));
        if is_done {
            assert!(step >= 3 && seen == commit.done(), "{what}: {seen:?}");
            break;
        }
        assert_eq!(signal, Some(SIGXFSZ), "{what}");
        found.insert(seen);
    }
    // What is not in the log whole has not been.
    assert_eq!(found, BTreeSet::from([commit.not_done()]), "`{}`", commit.name);
    site.block_on(assert_whole(&site.url));
}

/// What the process is to do, in place of a commit.
pub(crate) const COUNT: &str = "count until killed";

const ROUNDS: usize = 12;
const TASKS: usize = 2;
const ATTEMPTED: &str = "attempted";
const ACKNOWLEDGED: &str = "acknowledged";

/// In the child process: requests that count up until it is killed, each told before it begins and when it is answered.
pub(crate) fn count_until_killed(job: &Job) {
    Runner::new().block_on(async {
        let clock = ManualClock::at_unix_seconds(crate::site::NOW_UNIX_SECONDS);
        let records = open_with_checkpoints(&job.url, &job.name, &clock).await;
        let server = server(&job.key(), &clock, records).placement(Placement::StoreOnly).build().unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (server, mut browser) = (server.clone(), job.browser(&clock));
            tasks.spawn(async move {
                loop {
                    say(ATTEMPTED);
                    match browser.visit(&server, count_one_up).await {
                        Ok(count) => {
                            assert!(count.is_some(), "the session is gone");
                            say(ACKNOWLEDGED);
                        }
                        Err(failed) => assert_eq!(failed.status_code(), 409, "{failed:?}"),
                    }
                }
            });
        }
        tasks.join_all().await;
    });
}

pub(crate) fn a_process_killed_under_load_loses_no_write_and_logs_nobody_out() {
    let site = Site::<Sqlite>::new();
    let server = site.block_on(site.server());
    let mut browser = site.block_on(site.visitor(&server));
    let (mut attempted, mut acknowledged) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = Child::start(&Job::of(&site, "sqlite", &site.url, &browser, COUNT), &[]);
        // Not at the same place of its work each time.
        let mut left = 20 + 7 * round;
        while left > 0 {
            let line = child.line().expect("the process ended by itself");
            attempted += u64::from(line == ATTEMPTED);
            acknowledged += u64::from(line == ACKNOWLEDGED);
            left -= usize::from(line == ACKNOWLEDGED);
        }
        for line in child.kill_and_read().lines() {
            attempted += u64::from(line == ATTEMPTED);
            acknowledged += u64::from(line == ACKNOWLEDGED);
        }
        let count = site.block_on(browser.get(&server, "count")).expect("the session is gone");
        assert!((acknowledged..=attempted).contains(&count), "{count} of {acknowledged} to {attempted}");
        site.block_on(assert_whole(&site.url));
    }
    drop(server);
}
