#![doc = include_str!("../README.md")]
//!
//! # What an adapter outside of the crate gives up
//!
//! Only the crate that has [`Session`] may make it an extractor of another crate's framework, and only the crate that has
//! [`SessionError`] may make it a response. So there is no `async fn page(session: Session)`: a handler asks its
//! [depot](DepotExt::session). And `?` needs an error of this crate, [`Failure`], in the handler's result. All else is as in the
//! adapters of the crate itself: headers, statuses, and what becomes of a session that could not be written.
//!
//! There is no guard against forged requests here. [`csrf_decision`](sealed_session::csrf::csrf_decision) is its heart, and
//! [`Session::csrf_token`] and [`Session::verify_csrf`] serve a form.

mod failure;
mod headers;
mod hoop;

pub use failure::Failure;
pub use hoop::SessionHoop;

use std::future::Future;

use salvo_core::Depot;
#[cfg(doc)]
use sealed_session::SessionError;
use sealed_session::{PendingSession, Session};

use hoop::Held;

/// The session of the request, from Salvo's depot.
pub trait DepotExt {
    /// The session: see [`PendingSession::session`].
    ///
    /// ```
    /// use salvo_core::{Depot, handler};
    /// use sealed_session_salvo::{DepotExt, Failure};
    ///
    /// #[handler]
    /// async fn log_out(depot: &mut Depot) -> Result<(), Failure> {
    ///     Ok(depot.session().await?.destroy()?)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::Load`] when the cookie is good and the store does not answer, [`Failure::NoSession`] where no
    /// [`SessionHoop`] is around the route, or more than one.
    fn session(&self) -> impl Future<Output = Result<Session, Failure>> + Send;

    /// The session that nobody has asked for yet; for [`PendingSession::end`].
    ///
    /// ```
    /// use salvo_core::{Depot, handler};
    /// use sealed_session_salvo::{DepotExt, Failure};
    ///
    /// #[handler]
    /// async fn log_out(depot: &mut Depot) -> Result<(), Failure> {
    ///     depot.pending_session()?.end()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::NoSession`] where no [`SessionHoop`] is around the route, or more than one.
    fn pending_session(&self) -> Result<PendingSession, Failure>;
}

impl DepotExt for Depot {
    fn session(&self) -> impl Future<Output = Result<Session, Failure>> + Send {
        let pending = self.pending_session();
        async move { Ok(pending?.session().await?) }
    }

    fn pending_session(&self) -> Result<PendingSession, Failure> {
        match self.get_typed::<Held>() {
            Ok(Held::One(pending)) => Ok(pending.clone()),
            Ok(Held::Several) | Err(_) => Err(Failure::NoSession),
        }
    }
}
