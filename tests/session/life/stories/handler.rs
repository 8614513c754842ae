//! A request of a story: what its handler calls, and what it knows afterwards.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use sealed_session::{Commit, CommitError, PendingSession, ResponseFacts, Session};
use serde_json::{Map, Value, json};

use super::super::TEN_DAYS;
use super::super::interrupted::poll_times;
use super::BIG;
use crate::support::{ignore, text};

/// What a request is going to do.
pub(super) struct Plan {
    /// The server that answers it.
    pub(super) server: usize,
    /// What its handler calls, by the letters of [`super::CALLS`].
    pub(super) calls: String,
    /// What another task of the request calls meanwhile.
    pub(super) other_calls: Option<String>,
    /// It ends the session that came without reading it.
    pub(super) ends_unread: bool,
    /// A commit that fails is tried again, so many times at most.
    pub(super) commits: usize,
    /// What is given up is polled so many times before.
    pub(super) polls: usize,
    /// Of its response. Nothing is kept with 500.
    pub(super) status: u16,
}

/// What a request did, as far as its caller knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Its own counter.
    pub(super) key: String,
    /// So often it has counted.
    pub(super) counted: u64,
    /// So much is in the session after a success, at least.
    pub(super) kept: u64,
    /// And so much at most, after what nobody knows the outcome of.
    pub(super) possible: u64,
    /// Of that, what a reload has forgotten and what may still come.
    pub(super) late: u64,
    pub(super) has_pulled: bool,
    pub(super) pull_is_kept: bool,
    pub(super) has_moved: bool,
    pub(super) has_ended: bool,
    pub(super) has_cleared: bool,
    pub(super) has_reloaded: bool,
    /// A session came with it.
    pub(super) has_come: bool,
    /// Two tasks use its session. What one of them saves, the other may read again, and neither can tell.
    pub(super) has_two_tasks: bool,
    /// The call that said last how long the session lasts.
    pub(super) lasts: Option<char>,
    /// Its response took no writes along.
    pub(super) is_dropped: bool,
    pub(super) is_ok: bool,
    pub(super) status: u16,
    pub(super) is_delivered: bool,
    pub(super) response: Commit,
    /// For the log.
    did: String,
}

pub(super) type Shared = Rc<RefCell<Known>>;

impl Known {
    pub(super) fn new(key: String, plan: &Plan) -> Shared {
        let (has_two_tasks, did) = (plan.other_calls.is_some(), format!("{}:", plan.server));
        Rc::new(RefCell::new(Self { key, has_two_tasks, did, ..Self::default() }))
    }

    /// A write ended so, before which the session showed so much of this request's counter. `None` where it was given up.
    pub(super) fn ends_with(&mut self, view: u64, outcome: Option<Result<(), &CommitError>>) {
        match outcome {
            // A conflict has kept nothing. With two tasks, one of them may have kept it before.
            Some(Err(CommitError::Conflict)) if !self.has_two_tasks => return,
            Some(Ok(())) => {
                self.kept = if self.has_two_tasks { self.kept.max(view) } else { view };
                self.pull_is_kept = self.has_pulled;
            }
            Some(Err(_)) | None => {}
        }
        let most = if self.has_two_tasks { self.counted } else { view + self.late };
        self.possible = self.possible.max(most);
    }

    /// The request was dropped, and nobody knows what it has kept.
    pub(super) fn is_given_up(&mut self) {
        self.possible = self.possible.max(self.counted);
    }

    /// The session was read again, and shows so much.
    fn reads_again(&mut self, view: u64) {
        self.has_reloaded = true;
        if !self.has_two_tasks {
            self.kept = view;
            self.late = self.possible.saturating_sub(view);
            (self.has_pulled, self.lasts) = (self.pull_is_kept, None);
        }
    }

    /// A commit has returned.
    pub(super) const fn is_answered(&self) -> bool {
        self.status != 0
    }

    /// It neither ended nor emptied its session.
    pub(super) const fn goes_on(&self) -> bool {
        !self.has_ended && !self.has_cleared
    }
}

/// Each counting is there as a whole: in `n`, in the counters of the requests, and in the list.
pub(super) fn assert_whole(all: &Map<String, Value>, who: &str) {
    let number = |key: &str| all.get(key).and_then(Value::as_u64).unwrap_or(0);
    let sum: u64 = all.keys().filter(|key| key.starts_with("own")).map(|key| number(key)).sum();
    let list = all.get("list").and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!((number("n"), u64::try_from(list).unwrap()), (sum, sum), "each counting is whole, as {who} sees it");
}

pub(super) async fn handle(pending: PendingSession, plan: Plan, known: Shared) {
    let Some(session) = session_of(&pending, &plan, &known).await else { return };
    make_calls(&session, &plan.calls, plan.polls, &known).await;
    for _ in 0..plan.commits {
        if commits(&pending, &session, plan.status, &known).await {
            return;
        }
    }
}

/// The other task of a request.
pub(super) async fn handle_too(pending: PendingSession, calls: String, polls: usize, known: Shared) {
    if let Ok(session) = pending.session().await {
        make_calls(&session, &calls, polls, &known).await;
    }
}

/// Whoever tries a commit again ends a session that cannot be read.
async fn session_of(pending: &PendingSession, plan: &Plan, known: &Shared) -> Option<Session> {
    if plan.ends_unread {
        known.borrow_mut().has_ended |= pending.end().is_ok();
    }
    let session = match pending.session().await {
        Ok(session) => session,
        Err(_) if plan.commits > 1 => {
            let session = pending.end().ok()?;
            known.borrow_mut().has_ended = true;
            session
        }
        Err(_) => return None,
    };
    let mut known = known.borrow_mut();
    known.has_come = known.has_ended || !session.is_new();
    if !known.has_two_tasks {
        assert_whole(&session.all(), "a handler");
    }
    Some(session)
}

async fn make_calls(session: &Session, calls: &str, polls: usize, known: &Shared) {
    let key = known.borrow().key.clone();
    for call in calls.chars() {
        known.borrow_mut().did.push(call);
        let view = session.get_or(key.as_str(), 0).unwrap();
        match call {
            's' => {
                let saved = session.save().await;
                known.borrow_mut().ends_with(view, Some(saved.as_ref().map(drop)));
            }
            'd' => {
                let saved = poll_times(pin!(session.save()), polls);
                known.borrow_mut().ends_with(view, saved.as_ref().map(|saved| saved.as_ref().map(drop)));
            }
            'l' | 'D' => {
                let read =
                    if call == 'l' { Some(session.reload().await) } else { poll_times(pin!(session.reload()), polls) };
                if matches!(read, Some(Ok(()))) {
                    let mut known = known.borrow_mut();
                    known.reads_again(session.get_or(key.as_str(), 0).unwrap());
                    if !known.has_two_tasks {
                        assert_whole(&session.all(), "a reload");
                    }
                }
            }
            't' => lets_others_run().await,
            call => calls_at_once(call, session, &mut known.borrow_mut()),
        }
    }
}

async fn lets_others_run() {
    let mut waits = true;
    poll_fn(|context| {
        if std::mem::take(&mut waits) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

fn calls_at_once(call: char, session: &Session, known: &mut Known) {
    match call {
        'c' if session.increment("n", 1).is_ok() => {
            session.increment(known.key.as_str(), 1).unwrap();
            session.push("list", &known.key).unwrap();
            known.counted += 1;
        }
        'p' => known.has_pulled |= matches!(session.pull::<u64>("otp"), Ok(Some(7))),
        'f' => ignore((session.flash_messages().has("notice"), session.flash("notice", &known.key))),
        'n' => ignore((session.reflash(), session.flash_input(&json!({ "a": "b", "big": text(300) })))),
        'q' => ignore(session.old::<String>("a")),
        'w' => ignore((session.put("w.x.y", &known.counted), session.merge(&json!({ "w2": 1, "w3": { "a": 2 } })))),
        'g' => ignore(session.put("cart", &text(BIG))),
        'h' => ignore(session.forget("cart")),
        'z' => ignore(session.put("half", &text(700))),
        'k' => ignore((session.server_only("secret"), session.put("secret", "SECRET"))),
        'm' if session.remember(TEN_DAYS).is_ok() => known.lasts = Some(call),
        'b' if session.end_with_browser().is_ok() => known.lasts = Some(call),
        'o' if session.forget_lifetime().is_ok() => known.lasts = Some(call),
        'r' => known.has_moved |= session.regenerate().is_ok(),
        'R' => known.has_moved |= session.regenerate_and_reset_lifetime().is_ok(),
        'i' | 'x' => {
            let ended = if call == 'i' { session.invalidate() } else { session.destroy() };
            known.has_ended |= ended.is_ok();
            known.lasts = None;
        }
        'e' => known.has_cleared |= session.clear().is_ok(),
        _ => {}
    }
}

/// Whether the commit was a success.
async fn commits(pending: &PendingSession, session: &Session, status: u16, known: &Shared) -> bool {
    let key = known.borrow().key.clone();
    let view = session.get_or(key.as_str(), 0).unwrap();
    let outcome = pending.commit(&ResponseFacts::new(status)).await;
    let mut known = known.borrow_mut();
    if status < 500 || outcome.is_err() {
        known.ends_with(view, Some(outcome.as_ref().map(drop).map_err(|failed| &failed.error)));
    } else {
        known.ends_with(view, None);
        known.is_dropped = true;
        (known.lasts, known.has_pulled) = (None, known.pull_is_kept);
    }
    known.is_ok = outcome.is_ok();
    let sign = if known.is_ok { '+' } else { '-' };
    known.did.push(sign);
    known.status = outcome.as_ref().map_or_else(|failed| failed.status_code(), |_| 200);
    known.response = outcome.unwrap_or_else(|failed| failed.commit);
    known.is_ok
}
