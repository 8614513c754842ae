use std::fmt;
use std::sync::Arc;

use crate::manager::SessionManager;
use crate::request::{PendingSession, RequestFacts};

/// Which store has the session of a request, of whatever type the framework hands out before its handler runs.
pub(crate) enum Choice<R> {
    Always(SessionManager),
    By(Arc<dyn Fn(&R) -> SessionManager + Send + Sync>),
}

impl<R> Choice<R> {
    pub(crate) fn by(store: impl Fn(&R) -> SessionManager + Send + Sync + 'static) -> Self {
        Self::By(Arc::new(store))
    }

    pub(crate) fn begin(&self, request: &R, facts: &RequestFacts<'_>) -> PendingSession {
        match self {
            Self::Always(store) => store.begin(facts),
            Self::By(choose) => choose(request).begin(facts),
        }
    }
}

// Derived, this would ask the request for a clone.
impl<R> Clone for Choice<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Always(store) => Self::Always(store.clone()),
            Self::By(choose) => Self::By(Arc::clone(choose)),
        }
    }
}

impl<R> fmt::Debug for Choice<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(store) => store.fmt(f),
            Self::By(_) => f.write_str("chosen for each request"),
        }
    }
}
