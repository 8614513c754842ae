//! Where a request of `http` 1 carries its session.

use std::marker::PhantomData;

use http::Extensions;

use super::Marked;
use crate::request::PendingSession;

/// Puts a session where its marker has it found.
pub(crate) type Put = fn(&mut Extensions, PendingSession);

/// Finds it there again.
pub(crate) type Find = fn(&Extensions) -> Option<PendingSession>;

/// Stands where two sessions met that no marker tells apart.
#[derive(Clone)]
struct Several<T>(PhantomData<fn() -> T>);

pub(crate) fn put_unmarked(extensions: &mut Extensions, pending: PendingSession) {
    put(extensions, pending);
}

pub(crate) fn put_marked<M: 'static>(extensions: &mut Extensions, pending: PendingSession) {
    put(extensions, Marked::<_, M>::new(pending));
}

pub(crate) fn find_unmarked(extensions: &Extensions) -> Option<PendingSession> {
    extensions.get::<PendingSession>().cloned()
}

pub(crate) fn find_marked<M: 'static>(extensions: &Extensions) -> Option<PendingSession> {
    extensions.get::<Marked<PendingSession, M>>().cloned().map(Marked::into_inner)
}

fn put<T: Clone + Send + Sync + 'static>(extensions: &mut Extensions, pending: T) {
    // Security: which of two sessions a handler would read and write must not depend on the order of layers. The mark
    // stays, so that a third layer does not fill the place that the first two left empty.
    if extensions.get::<Several<T>>().is_none() && extensions.insert(pending).is_some() {
        extensions.remove::<T>();
        extensions.insert(Several::<T>(PhantomData));
    }
}
