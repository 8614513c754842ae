use std::fmt;
use std::sync::Arc;

use crate::manager::SessionManager;
use crate::request::{PendingSession, RequestFacts};

/// Which manager has the session of a request, of whatever type the framework hands out before its handler runs.
pub(crate) enum Choice<R> {
    Always(SessionManager),
    By(Arc<dyn Fn(&R) -> SessionManager + Send + Sync>),
}

impl<R> Choice<R> {
    pub(crate) fn by(manager: impl Fn(&R) -> SessionManager + Send + Sync + 'static) -> Self {
        Self::By(Arc::new(manager))
    }

    pub(crate) fn begin(&self, request: &R, facts: &RequestFacts<'_>) -> PendingSession {
        match self {
            Self::Always(manager) => manager.begin(facts),
            Self::By(choose) => choose(request).begin(facts),
        }
    }
}

// Derived, this would ask the request for a clone.
impl<R> Clone for Choice<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Always(manager) => Self::Always(manager.clone()),
            Self::By(choose) => Self::By(Arc::clone(choose)),
        }
    }
}

impl<R> fmt::Debug for Choice<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(manager) => manager.fmt(f),
            Self::By(_) => f.write_str("chosen for each request"),
        }
    }
}
