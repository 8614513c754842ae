//! A process that is killed between each pair of steps of each commit.
//!
//! The steps that others can see are the messages between the process and the engine. So a child process commits through a
//! proxy that holds back whatever comes behind the n-th of them, is killed there, and the next one gets one step further,
//! until one ends undisturbed. What is looked at then is what the client sees, which still has the cookie of before.

use std::collections::BTreeSet;

use crate::child::{Child, Job};
use crate::commits::{COMMITS, Commit, Seen};
use crate::site::{Served, Site};

pub(crate) fn a_process_killed_between_two_steps_of_a_commit_leaves_the_old_session_or_the_new<K: Served>(kind: &str) {
    // Each waits for its children more than it works.
    std::thread::scope(|scope| {
        for commit in COMMITS {
            scope.spawn(move || kill_behind_each_message::<K>(kind, commit));
        }
    });
}

/// A driver that looks after its connections behind the answer adds a message now and then, and the reply that is looked for is
/// not held at its place: then all over again.
const ROUNDS_MAX: usize = 10;

fn kill_behind_each_message<K: Served>(kind: &str, commit: &Commit) {
    let site = Site::<K>::new();
    // The first process is killed before it has asked for anything, the last one with the reply to its last request underway.
    let expected = BTreeSet::from([commit.not_done(), commit.done()]);
    let mut found = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        for messages in 0.. {
            let (has_ended, seen) = kill_behind(&site, kind, commit, messages);
            if has_ended {
                assert_eq!(seen, commit.done(), "`{}`", commit.name);
                assert!(messages >= 2, "`{}` sent nothing to the engine", commit.name);
                break;
            }
            assert!(messages > 0 || seen == commit.not_done(), "`{}` has done something by itself", commit.name);
            found.insert(seen);
        }
        if found == expected {
            return;
        }
    }
    panic!("`{}`: {found:?} of {expected:?}", commit.name);
}

/// Whether the process had ended by itself, and what the client sees of its session.
fn kill_behind<K: Served>(site: &Site<K>, kind: &str, commit: &Commit, messages: usize) -> (bool, Seen) {
    let browser = site.block_on(commit.begun(site));
    let (proxy, url) = site.proxy();
    let mut child = Child::start(&Job::of(site, kind, &url, &browser, commit.name), &[]);
    child.wait_until_ready();
    proxy.hold_behind(messages);
    child.go();
    let has_ended = child.has_ended_or(|| proxy.is_holding());
    let has_committed = child.kill();
    // The engine sees the connections of the dead process end.
    drop(proxy);
    assert!(has_committed || !has_ended, "`{}` failed, behind {messages} messages", commit.name);
    let what = format!("`{}`, killed behind {messages} messages", commit.name);
    (has_ended, site.block_on(commit.look(site, browser, &what)))
}
