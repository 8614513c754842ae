//! Every setting that a text can say, declared once: the struct and its defaults are made of it here, the builder's methods in
//! `manager`, and what a configuration reads and writes in `config`.

mod policy;

pub(crate) use policy::Purpose;
pub use policy::{Placement, Renewal, StoreFailure, TooLarge};

use std::time::Duration;

use crate::clock::Timestamp;
use crate::cookie::CookieAttributes;
use crate::limits;
use crate::seal::Lifetimes;

/// The table. `$derive` names the macro that makes something of it.
///
/// A line has `pub` where the builder gets a method, a kind, the name of the field, of the method and of the setting in a
/// configuration, the type, the default, and where the type says too little, what is expected of a text. Comments are the
/// method's.
///
/// | kind | means |
/// |---|---|
/// | `value` | the method sets it |
/// | `optional` | the method sets it to `Some`: the field is an `Option` of the type |
/// | `apart` | the method sets it; a configuration has it in another section, by hand |
/// | `plain` | the method is written by hand, or there is none |
///
/// Values come first, then sections, then lists: not every writer of TOML takes another order.
macro_rules! every_setting {
    ($derive:ident) => {
        $derive! {
            Settings at (settings) {
                /// `false` lets requests pass: each gets an empty session that is dropped with its response.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).enabled(false).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value enabled: bool = true;

                plain audience: String = String::new();

                /// Where sessions are kept: [`Placement::Spill`] by default with a store, [`Placement::CookieOnly`] without.
                ///
                /// ```
                /// # #[cfg(feature = "memory")] {
                /// # use sealed_session::{SessionManager, Key, Placement};
                /// # use sealed_session::store::MemoryStore;
                /// let manager = SessionManager::builder(Key::generate()?).store(MemoryStore::new()).placement(Placement::StoreOnly).build()?;
                /// # }
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub optional placement: Placement = None;

                /// When a session that was only read lives on: by default by every navigation or fetch that used it, when less than half
                /// of its idle timeout is left. Images, styles and the like never renew it, and a read that failed renews nothing.
                /// [`Renewal`] has the rules of each policy; [`Renewal::EveryResponse`] is what express-session calls `rolling`.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key, Renewal};
                /// let manager = SessionManager::builder(Key::generate()?).renewal(Renewal::EveryResponse).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub optional renewal: Renewal = None;

                /// New sessions end with the browser, unless they ask to be remembered; `false` by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).clear_with_browser(true).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value clear_with_browser: bool = false;

                /// Sessions that were looked at get a cookie although nothing was written to them; `false` by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).save_uninitialized(true).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value save_uninitialized: bool = false;

                /// Sessions that were used are written although they were not changed; `false` by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).resave(true).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value resave: bool = false;

                /// What happens to a session that is too large.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key, TooLarge};
                /// let manager = SessionManager::builder(Key::generate()?).when_too_large(TooLarge::Fail).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value when_too_large: TooLarge = TooLarge::TrimFlash;

                /// What happens when the store does not answer a load.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key, StoreFailure};
                /// let manager = SessionManager::builder(Key::generate()?).on_store_failure(StoreFailure::Ephemeral).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value on_store_failure: StoreFailure = StoreFailure::FailClosed;

                /// How long the server store may take to load a session, or to take one save or commit as a whole; two seconds by
                /// default. Needs a [`timer`](Self::timer). What takes longer is [`StoreError::Timeout`](crate::store::StoreError), and is not
                /// repeated.
                ///
                /// ```
                /// # #[cfg(feature = "tokio")] {
                /// # use sealed_session::{SessionManager, Key};
                /// # use std::time::Duration;
                /// # use sealed_session::adapter::tokio::TokioTimer;
                /// let manager = SessionManager::builder(Key::generate()?).timer(TokioTimer).store_timeout(Duration::from_millis(500)).build()?;
                /// # }
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value store_timeout: Duration = Duration::from_millis(limits::STORE_TIMEOUT_MILLISECONDS),
                    "one millisecond or more, with its unit, such as `500ms`" if |timeout| !timeout.is_zero();

                /// Under [`Placement::StoreOnly`], takes sessions that are still in their cookies until this instant: for moving a
                /// site over without logging anyone out.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key, Timestamp};
                /// let moved = Timestamp::from_rfc3339("2026-12-01T00:00:00Z").unwrap();
                /// let manager = SessionManager::builder(Key::generate()?).accept_inline_until(moved).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub optional accept_inline_until: Timestamp = None;

                plain insecure_for_development: bool = false;

                /// How long a key that was superseded may still seal, on servers that have not loaded the new ring; whole seconds, one
                /// hour by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// # use std::time::Duration;
                /// let manager = SessionManager::builder(Key::generate()?).key_grace(Duration::from_secs(600)).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub apart key_grace: Duration = Duration::from_secs(limits::KEY_GRACE_SECONDS);

                /// The cookie's name and attributes; `__Host-session`, `Path=/`, `Secure`, `HttpOnly`, `SameSite=Lax` by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// use sealed_session::cookie::{CookieAttributes, SameSite};
                /// let manager = SessionManager::builder(Key::generate()?).cookie(CookieAttributes::new().same_site(SameSite::Strict)).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value cookie: CookieAttributes = CookieAttributes::new();

                /// How long sessions live.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key, Lifetimes};
                /// # use std::time::Duration;
                /// let lifetimes = Lifetimes::default().idle_timeout(Duration::from_secs(20 * 60));
                /// let manager = SessionManager::builder(Key::generate()?).lifetimes(lifetimes).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value lifetimes: Lifetimes = Lifetimes::default();

                plain sizes: Sizes = Sizes::default();

                plain also_read: Vec<EarlierContext> = Vec::new();

                plain also_remove: Vec<CookieAttributes> = Vec::new();
            }
            Sizes at (settings.sizes) {
                /// Longest `Set-Cookie` value in bytes: 3072 by default with a store, otherwise what browsers keep, which is 4096
                /// bytes of name and value. That bound always holds.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).inline_limit_bytes(2048).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub optional inline_limit_bytes: usize = None;

                /// Most bytes of JSON that a session in the store may have: 1 MiB by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).record_limit_bytes(64 * 1024).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value record_limit_bytes: usize = limits::RECORD_PAYLOAD_MAX_BYTES;

                /// Cookie plaintexts are filled to a multiple of so many bytes, which hides their length: 1 to 1024, 32 by default.
                ///
                /// ```
                /// # use sealed_session::{SessionManager, Key};
                /// let manager = SessionManager::builder(Key::generate()?).padding_bucket_bytes(256).build()?;
                /// # Ok::<(), Box<dyn std::error::Error>>(())
                /// ```
                pub value padding_bucket_bytes: usize = limits::COOKIE_PADDING_BUCKET_BYTES,
                    "a whole number of bytes from 1 to 1024"
                    if |bytes| (1..=limits::COOKIE_PADDING_BUCKET_MAX_BYTES).contains(bytes);
            }
        }
    };
}
pub(crate) use every_setting;

macro_rules! field {
    (optional $type:ty) => { Option<$type> };
    ($kind:ident $type:ty) => { $type };
}

macro_rules! structs {
    ($($group:ident at $place:tt {
        $($(#[$doc:meta])* $vis:vis $kind:ident $name:ident: $type:ty = $default:expr
            $(, $expected:literal if $holds:expr)?;)*
    })*) => {$(
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $group {
            $(pub(crate) $name: field!($kind $type),)*
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }
    )*};
}
every_setting!(structs);

/// A name and an audience that the cookie had before. What is left out is as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EarlierContext {
    pub(crate) cookie_name: Option<String>,
    pub(crate) audience: Option<String>,
}
