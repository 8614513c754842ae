use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// What a timer's wait returns: a boxed future, so that the trait can be used as `dyn Timer`.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits, for time limits and pauses. The core names no runtime, so the application hands it the timer of its own.
///
/// `adapter::tokio::TokioTimer` is one (feature `tokio`). Another runtime's takes a few lines:
///
/// ```
/// use std::time::Duration;
/// use sealed_session::{Timer, Wait};
///
/// struct ThreadTimer;
///
/// impl Timer for ThreadTimer {
///     fn wait(&self, duration: Duration) -> Wait {
///         let (done, waiting) = async_channel();
///         std::thread::spawn(move || {
///             std::thread::sleep(duration);
///             done();
///         });
///         Box::pin(waiting)
///     }
/// }
/// # fn async_channel() -> (impl FnOnce() + Send + 'static, impl Future<Output = ()> + Send + 'static) {
/// #     let (sender, receiver) = std::sync::mpsc::channel::<()>();
/// #     (move || drop(sender), async move { let _ = receiver.recv(); })
/// # }
/// # pollster::block_on(ThreadTimer.wait(Duration::from_millis(1)));
/// ```
pub trait Timer: Send + Sync + 'static {
    /// Ends after so long.
    fn wait(&self, duration: Duration) -> Wait;
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn wait(&self, duration: Duration) -> Wait {
        (**self).wait(duration)
    }
}

/// The result of a future, or `None` when the wait is over before.
pub(crate) async fn within<T>(future: impl Future<Output = T>, wait: Wait) -> Option<T> {
    let (mut future, mut wait) = (pin!(future), wait);
    poll_fn(|context| {
        // The future first: an answer that is there counts, however late it was asked for.
        if let Poll::Ready(result) = future.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        wait.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn an_answer_that_is_there_counts_although_the_wait_is_over() {
        assert_eq!(pollster::block_on(within(ready(1), Box::pin(ready(())))), Some(1));
    }

    #[test]
    fn without_an_answer_the_wait_ends_it() {
        assert_eq!(pollster::block_on(within(pending::<()>(), Box::pin(ready(())))), None);
    }

    #[test]
    fn without_an_end_of_the_wait_the_answer_is_waited_for() {
        let mut polls = 0;
        let later = poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            if polls == 3 { Poll::Ready(polls) } else { Poll::Pending }
        });
        assert_eq!(pollster::block_on(within(later, Box::pin(pending()))), Some(3));
    }
}
