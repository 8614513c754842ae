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
    /// The request gets an empty session that touches no cookie: the site works for a guest meanwhile. Nothing can be kept:
    /// a response that wrote something is a 503, and so is a logout while the store is down.
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

/// When a session that was not written lives on for another idle timeout.
///
/// A navigation is a request with `Sec-Fetch-Dest: document`, `iframe` or `frame`, or without this header. A fetch has `empty`:
/// it is a request of a script. All others, such as images and styles, renew nothing, but for a session in a record under
/// [`Renewal::EveryResponse`]. A read that failed renews nothing either, and a renewal that the store cannot take is left
/// out. Whichever is chosen but [`Renewal::OnWrite`], a session that is used by navigations or fetches lives for half of its
/// idle timeout at least after each use.
///
/// ```
/// use sealed_session::{SessionManager, Key, Renewal};
///
/// let store = SessionManager::builder(Key::generate()?).renewal(Renewal::OnWrite).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// By a navigation or a fetch that used the session, when less than half of the idle timeout is left.
    #[default]
    HalfLife,
    /// A session in a record: with every response, whether its request used the session or not. A session in its cookie:
    /// with every navigation, and by fetches when less than half of the idle timeout is left, because the response to a
    /// fetch sends the data again and could undo a parallel write.
    EveryResponse,
    /// Never: only a write renews.
    OnWrite,
}
