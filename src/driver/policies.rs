/// What happens to a request whose session is in a store that does not answer.
///
/// ```
/// use sealed_session::{SessionManager, Key, StoreFailure};
///
/// let store = SessionManager::builder(Key::generate()?).on_store_failure(StoreFailure::Ephemeral).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreFailure {
    /// Loading is an error, which adapters answer with 503. Nobody is taken for logged out.
    #[default]
    FailClosed,
    /// The request gets an empty session that is not kept and touches no cookie: the site works for a guest meanwhile.
    Ephemeral,
}

/// What happens to a session that fits neither its cookie nor, where there is one, the store.
///
/// ```
/// use sealed_session::{SessionManager, Key, TooLarge};
///
/// let store = SessionManager::builder(Key::generate()?).when_too_large(TooLarge::Fail).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TooLarge {
    /// The old input of a form is left out first: its errors arrive, and its fields are empty. Then it is an error.
    #[default]
    TrimFlash,
    /// It is an error.
    Fail,
}
