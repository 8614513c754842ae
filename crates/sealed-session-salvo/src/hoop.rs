use salvo_core::http::{HeaderMap, Request, Response};
use salvo_core::routing::FlowCtrl;
use salvo_core::{Depot, Handler, async_trait};
use sealed_session::{PendingSession, SessionManager};

use crate::failure::empty;
use crate::headers::{apply, request_facts, response_facts};

/// Gives every request its session, and writes it into the response: Salvo's middleware, for [`Router::hoop`].
///
/// A session that could not be written takes the response's place, since the client must not be told of something that is
/// not so: an empty body with 503 (the store does not answer), 409 (another request wrote the session in between) or 500 (the
/// session is too large).
///
/// ```
/// use salvo_core::Router;
/// use sealed_session::{Key, SessionManager};
/// use sealed_session_salvo::SessionHoop;
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let router = Router::new().hoop(SessionHoop::new(manager));
/// # let _ = router;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Router::hoop`]: salvo_core::Router::hoop
#[derive(Clone, Debug)]
pub struct SessionHoop {
    manager: SessionManager,
}

impl SessionHoop {
    /// A middleware over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self { manager }
    }
}

/// What the depot has of a request's session.
pub(crate) enum Held {
    One(PendingSession),
    // Security: which of two sessions a handler would read and write must not depend on the order of middlewares.
    Several,
}

#[async_trait]
impl Handler for SessionHoop {
    async fn handle(&self, request: &mut Request, depot: &mut Depot, response: &mut Response, flow: &mut FlowCtrl) {
        let pending = self.manager.begin(&request_facts(request.headers()));
        let is_first = depot.get_typed::<Held>().is_err();
        depot.insert_typed(if is_first { Held::One(pending.clone()) } else { Held::Several });
        flow.call_next(request, depot, response).await;
        commit(&pending, response).await;
    }
}

async fn commit(pending: &PendingSession, response: &mut Response) {
    // A handler that has answered says its status, or means 200.
    let status_code = response.status_code.map_or(200, |status| status.as_u16());
    let committed = pending.commit(&response_facts(status_code, response.headers())).await;
    let (commit, failed) = match committed {
        Ok(commit) => (commit, None),
        // What was saved before is sent with the error.
        Err(failed) => {
            let status_code = failed.status_code();
            (failed.commit, Some(status_code))
        }
    };
    if let Some(status_code) = failed {
        replace(response, status_code);
    }
    if apply(commit, response.headers_mut()).is_err() {
        replace(response, 500);
    }
}

fn replace(response: &mut Response, status_code: u16) {
    response.set_headers(HeaderMap::new());
    empty(response, status_code);
}
