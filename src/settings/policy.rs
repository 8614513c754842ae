//! What an application chooses among: where sessions are kept, when they live on, and what happens where that fails.

/// Where sessions are kept.
///
/// ```
/// use sealed_session::Placement;
///
/// assert_ne!(Placement::Spill, Placement::StoreOnly);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// In the cookie while the `Set-Cookie` line fits its limit, otherwise in the store with a sealed reference in the
    /// cookie. The default where a store is configured.
    Spill,
    /// In the cookie; what does not fit is an error at commit. The default without a store. With a store, a session that has a
    /// [`server_only`](crate::Session::server_only) key is in a record.
    CookieOnly,
    /// In the store always: copies of a cookie then show no older data, and what is destroyed stays so.
    StoreOnly,
}

/// What happens to a request whose session is in a store that does not answer.
///
/// ```
/// use sealed_session::{SessionManager, Key, StoreFailure};
///
/// let manager = SessionManager::builder(Key::generate()?).on_store_failure(StoreFailure::Ephemeral).build()?;
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
/// let manager = SessionManager::builder(Key::generate()?).when_too_large(TooLarge::Fail).build()?;
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
/// let manager = SessionManager::builder(Key::generate()?).renewal(Renewal::OnWrite).build()?;
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

impl Renewal {
    /// Whether a session that was used is sealed again. `left_seconds` are left of its `lifetime_seconds`; `is_reseal_due`
    /// where a newer key seals today, or the cookie has another name, or another lifetime than its record says.
    ///
    /// A fetch may have read a session in its cookie before a parallel write, and its answer would put the older data over the
    /// newer. So it renews only what has lived for half of its time.
    pub(crate) fn is_due(
        self,
        purpose: Purpose,
        is_in_record: bool,
        is_reseal_due: bool,
        (left_seconds, lifetime_seconds): (u64, u64),
    ) -> bool {
        let below_half = left_seconds < lifetime_seconds / 2;
        let always = is_reseal_due || self == Self::EveryResponse;
        let may = is_reseal_due || self != Self::OnWrite;
        match purpose {
            _ if self == Self::EveryResponse && is_in_record => true,
            Purpose::Navigation => always || (may && below_half),
            Purpose::Fetch => may && below_half,
            Purpose::Part => false,
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A page, or a frame of one.
    Navigation,
    /// A script's.
    Fetch,
    /// An image, a style, a script: parts of a page.
    Part,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSES: [Purpose; 3] = [Purpose::Navigation, Purpose::Fetch, Purpose::Part];

    /// Of a lifetime of 100 s, so many are left; for a navigation, a fetch, and a part of a page.
    fn due(renewal: Renewal, left_seconds: u64, is_in_record: bool, reseal_due: bool) -> [bool; 3] {
        PURPOSES.map(|purpose| renewal.is_due(purpose, is_in_record, reseal_due, (left_seconds, 100)))
    }

    #[test]
    fn half_life_renews_below_half_by_navigations_and_fetches() {
        for is_in_record in [false, true] {
            assert_eq!(due(Renewal::HalfLife, 50, is_in_record, false), [false, false, false]);
            assert_eq!(due(Renewal::HalfLife, 49, is_in_record, false), [true, true, false]);
        }
    }

    #[test]
    fn every_response_renews_a_record_always_and_a_cookie_by_navigations_or_below_half() {
        assert_eq!(due(Renewal::EveryResponse, 100, true, false), [true; 3]);
        assert_eq!(due(Renewal::EveryResponse, 100, false, false), [true, false, false]);
        assert_eq!(due(Renewal::EveryResponse, 49, false, false), [true, true, false]);
    }

    #[test]
    fn on_write_never_renews_what_was_read() {
        for is_in_record in [false, true] {
            assert_eq!(due(Renewal::OnWrite, 1, is_in_record, false), [false; 3]);
        }
    }

    #[test]
    fn a_retiring_key_is_left_by_a_navigation_or_below_half() {
        for renewal in [Renewal::HalfLife, Renewal::EveryResponse, Renewal::OnWrite] {
            assert_eq!(due(renewal, 100, false, true), [true, false, false]);
            assert_eq!(due(renewal, 49, false, true), [true, true, false]);
        }
    }
}
