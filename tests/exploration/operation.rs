//! What a request does with its session, from its cookies to its response.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use sealed_session::json::Value;
use sealed_session::{PendingSession, Session, SessionError};

use crate::api::{self, OK, Status};
use crate::view::{LARGE_BYTES, Own, SECRET, View};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Read,
    /// The clock stands behind half of the idle timeout.
    RenewingRead,
    Put,
    /// And counts.
    Spill,
    /// Takes the large value of the set-up out again.
    Shrink,
    /// Of the only key.
    PullLast,
    Increment,
    Login,
    StepUp,
    /// If the one-time password is there.
    LoginByPull,
    Invalidate,
    Destroy,
    /// Without a load.
    End,
    SaveThenPut,
    SaveThenSpill,
    /// Its save goes on while it commits.
    SaveBeside,
    /// And counts; where its commit fails or is dropped, it commits once more.
    CommitAgain,
    /// The same of a login with a one-time password.
    LoginByPullAgain,
    ServerOnly,
    /// Takes everything out, and goes on with a token alone.
    Clear,
}

impl Operation {
    /// Those of which every pair is explored.
    pub(crate) const ALL: [Self; 16] = [
        Self::Read,
        Self::RenewingRead,
        Self::Put,
        Self::Spill,
        Self::Shrink,
        Self::PullLast,
        Self::Increment,
        Self::Login,
        Self::StepUp,
        Self::LoginByPull,
        Self::Invalidate,
        Self::Destroy,
        Self::End,
        Self::SaveThenPut,
        Self::SaveThenSpill,
        Self::ServerOnly,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::RenewingRead => "renew",
            Self::Put => "put",
            Self::Spill => "spill",
            Self::Shrink => "shrink",
            Self::PullLast => "pull",
            Self::Increment => "increment",
            Self::Login => "login",
            Self::StepUp => "step-up",
            Self::LoginByPull => "otp-login",
            Self::Invalidate => "invalidate",
            Self::Destroy => "destroy",
            Self::End => "end",
            Self::SaveThenPut => "save-put",
            Self::SaveThenSpill => "save-spill",
            Self::SaveBeside => "save-beside",
            Self::CommitAgain => "commit-again",
            Self::LoginByPullAgain => "otp-login-again",
            Self::Clear => "clear",
            Self::ServerOnly => "server-only",
        }
    }

    pub(crate) const fn ends(self) -> bool {
        matches!(self, Self::Invalidate | Self::Destroy | Self::End)
    }

    pub(crate) const fn moves(self) -> bool {
        matches!(self, Self::Login | Self::StepUp) || self.logs_in_by_pull()
    }

    pub(crate) const fn pulls(self) -> bool {
        matches!(self, Self::PullLast) || self.logs_in_by_pull()
    }

    pub(crate) const fn logs_in_by_pull(self) -> bool {
        matches!(self, Self::LoginByPull | Self::LoginByPullAgain)
    }

    /// Commits once more where its commit fails or is dropped.
    const fn commits_again(self) -> bool {
        matches!(self, Self::CommitAgain | Self::LoginByPullAgain)
    }

    pub(crate) const fn saves(self) -> bool {
        matches!(self, Self::SaveThenPut | Self::SaveThenSpill | Self::SaveBeside)
    }

    pub(crate) const fn only_reads(self) -> bool {
        matches!(self, Self::Read | Self::RenewingRead)
    }

    /// Writes to the session that it found, and leaves it where it is.
    pub(crate) const fn only_writes(self) -> bool {
        !self.ends() && !self.moves() && !self.only_reads()
    }

    pub(crate) const fn counts(self) -> bool {
        matches!(
            self,
            Self::Spill | Self::Shrink | Self::Increment | Self::SaveThenPut | Self::SaveBeside | Self::CommitAgain
        )
    }

    /// Needs a record, whatever it found.
    pub(crate) const fn spills(self) -> bool {
        matches!(self, Self::Spill | Self::SaveThenSpill | Self::ServerOnly)
    }

    async fn run(
        self,
        number: usize,
        pending: &PendingSession,
        progress: &Rc<RefCell<Progress>>,
    ) -> Result<(), Status> {
        if self == Self::End {
            return api::end(pending);
        }
        let session = api::load(pending).await?;
        progress.borrow_mut().seen = Some(View::of(&session));
        if self.saves() {
            self.before_save(number, &session).unwrap();
            let save = saved(session.clone(), Rc::clone(progress));
            if self == Self::SaveBeside {
                progress.borrow_mut().beside = Some(Box::pin(async move {
                    // It notes its own success.
                    let _: Result<(), Status> = save.await;
                }));
                gate(progress).await;
            } else if let Some(outcome) = unless_left(save, progress).await {
                outcome?;
            }
        }
        let took = self.handle(number, &session).unwrap();
        progress.borrow_mut().took = took;
        Ok(())
    }

    fn before_save(self, number: usize, session: &Session) -> Result<(), SessionError> {
        session.put(Own::Saved.key(number), &1)?;
        if self.counts() {
            session.increment("n", 1)?;
        }
        Ok(())
    }

    /// Whether it pulled something.
    fn handle(self, number: usize, session: &Session) -> Result<bool, SessionError> {
        let mark = number + 1;
        match self {
            Self::Read | Self::RenewingRead => {}
            Self::Put => session.put(Own::Small.key(number), &1)?,
            Self::CommitAgain => {
                session.put(Own::Small.key(number), &1)?;
                session.increment("n", 1)?;
            }
            Self::Spill => {
                session.put(Own::Large.key(number), &large())?;
                session.increment("n", 1)?;
            }
            Self::Shrink => {
                session.forget("big")?;
                session.increment("n", 1)?;
            }
            Self::PullLast => return Ok(session.pull::<Value>("otp")?.is_some()),
            Self::Increment => {
                session.increment("n", 1)?;
            }
            Self::Login => {
                session.regenerate_and_reset_lifetime()?;
                session.put("user", &mark)?;
            }
            Self::StepUp => {
                session.regenerate()?;
                session.put("role", &mark)?;
            }
            Self::LoginByPull | Self::LoginByPullAgain => {
                if session.pull::<Value>("otp")?.is_none() {
                    return Ok(false);
                }
                session.regenerate_and_reset_lifetime()?;
                session.put("user", &mark)?;
                return Ok(true);
            }
            Self::Invalidate => {
                session.invalidate()?;
                session.put("farewell", &mark)?;
            }
            Self::Destroy | Self::End => session.destroy()?,
            Self::SaveThenPut | Self::SaveBeside => session.put(Own::AfterSave.key(number), &1)?,
            Self::SaveThenSpill => session.put(Own::AfterSave.key(number), &large())?,
            Self::ServerOnly => {
                let key = Own::ServerOnly.key(number);
                session.server_only(key.as_str())?;
                session.put(key, SECRET)?;
            }
            Self::Clear => {
                session.clear()?;
                session.csrf_token()?;
            }
        }
        Ok(false)
    }
}

pub(crate) fn large() -> String {
    "x".repeat(LARGE_BYTES)
}

/// What is known of a request so far.
#[derive(Default)]
pub(crate) struct Progress {
    /// The session as it was loaded.
    pub(crate) seen: Option<View>,
    /// Its `save()` said that it was kept.
    pub(crate) saved: bool,
    /// It is at a save or a commit that it can give up.
    pub(crate) may_leave: bool,
    /// It gives that up, at the call that it waits for.
    pub(crate) leaves: bool,
    /// A save that is to run beside its commit, until somebody takes it.
    pub(crate) beside: Option<RequestFuture>,
    /// Whether it may go on to its commit; `None` while it is not there.
    pub(crate) gate: Option<bool>,
    /// It pulled something.
    pub(crate) took: bool,
    pub(crate) response: Option<(Status, Vec<String>)>,
}

pub(crate) type RequestFuture = Pin<Box<dyn Future<Output = ()>>>;

async fn saved(session: Session, progress: Rc<RefCell<Progress>>) -> Result<(), Status> {
    api::save(&session).await?;
    progress.borrow_mut().saved = true;
    Ok(())
}

/// What comes of a save or a commit; `None` if it is dropped on its way.
async fn unless_left<T>(future: impl Future<Output = T>, progress: &RefCell<Progress>) -> Option<T> {
    progress.borrow_mut().may_leave = true;
    let mut future = Box::pin(future);
    let outcome = poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if progress.borrow().leaves => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    let outcome = outcome.await;
    drop(future);
    progress.borrow_mut().may_leave = false;
    outcome
}

/// Waits until the schedule lets it go on.
async fn gate(progress: &RefCell<Progress>) {
    poll_fn(|_| match progress.borrow_mut().gate.get_or_insert(false) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// A request behind its cookies: the handler, and the commit with whatever status it answered.
pub(crate) fn request(
    operation: Operation,
    number: usize,
    pending: PendingSession,
    progress: &Rc<RefCell<Progress>>,
) -> RequestFuture {
    let progress = Rc::clone(progress);
    Box::pin(async move {
        let status = operation.run(number, &pending, &progress).await.err().unwrap_or(OK);
        let response = if operation.commits_again() {
            match unless_left(api::commit(&pending, status), &progress).await {
                Some(response) if response.0 == OK => response,
                _ => api::commit(&pending, status).await,
            }
        } else {
            api::commit(&pending, status).await
        };
        progress.borrow_mut().response = Some(response);
    })
}
