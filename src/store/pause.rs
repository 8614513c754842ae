use std::future::poll_fn;
use std::mem;
use std::task::Poll;

/// Gives the executor's other tasks their turn.
pub(super) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
