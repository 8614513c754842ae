use super::SessionManager;
use crate::crypto::random;
use crate::error::StoreError;
use crate::id::RecordId;

/// Whether a [`SessionManager`] can serve, for a readiness probe.
///
/// ```
/// use sealed_session::{SessionManager, Key};
///
/// # pollster::block_on(async {
/// let health = SessionManager::builder(Key::generate()?).build()?.health().await;
/// assert!(health.has_sealing_key && health.store_problem.is_none() && health.reload_problem.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Why the server store does not answer; `None` when it does, and where there is none.
    pub store_problem: Option<StoreError>,
    /// Why a watched ring could not be read again. The ring before it is in force, so this is no reason to turn requests
    /// away; it is one to look after the keys.
    pub reload_problem: Option<String>,
    /// Whether a key seals now. Without one no session can be written.
    pub has_sealing_key: bool,
}

impl Health {
    /// Whether requests can be served.
    ///
    /// ```
    /// # use sealed_session::{SessionManager, Key};
    /// # pollster::block_on(async {
    /// # let store = SessionManager::builder(Key::generate()?).build()?;
    /// let status = if store.health().await.is_ready() { 200 } else { 503 };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.store_problem.is_none() && self.has_sealing_key
    }
}

impl SessionManager {
    /// Asks the server store for a record that does not exist, and looks at the keys.
    ///
    /// ```
    /// use sealed_session::{SessionManager, Key};
    ///
    /// # pollster::block_on(async {
    /// let store = SessionManager::builder(Key::generate()?).build()?;
    /// assert!(store.health().await.is_ready());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn health(&self) -> Health {
        let ring = self.0.sealer.ring();
        Health {
            store_problem: self.ask_store().await.err(),
            reload_problem: ring.reload_problem(),
            has_sealing_key: ring.current().check(self.0.clock.now()).is_ok(),
        }
    }

    async fn ask_store(&self) -> Result<(), StoreError> {
        let Some(records) = self.0.records.first() else { return Ok(()) };
        let mut id = [0; 16];
        random::fill(&mut id).map_err(|error| StoreError::other("store", error))?;
        records.ask(&RecordId::from_bytes(id)).await
    }
}
