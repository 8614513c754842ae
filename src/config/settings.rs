//! Every setting there is, with its default.

use std::time::Duration;

use super::choices::{PlacementName, RenewalName, StoreFailureName, TooLargeName};
use super::duration;
use super::keys::Keys;
use super::leaf::{Form, Leaf};
use super::node::Node;
use super::table::{At, List, Row, Rule, Section, Slot, Table, section, slot};
use crate::clock::Timestamp;
use crate::cookie::CookieAttributes;
use crate::error::ConfigError;
use crate::limits;

/// `store` without a server store.
pub(super) const NO_STORE: &str = "cookie";

/// What [`Config`](super::Config) holds: each setting is good by itself, and whether they go together is found when the
/// store is built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    pub(crate) audience: String,
    pub(super) store: String,
    pub(crate) placement: Option<PlacementName>,
    pub(super) renewal: Option<RenewalName>,
    pub(super) rolling: Option<bool>,
    pub(crate) clear_with_browser: bool,
    pub(crate) save_uninitialized: bool,
    pub(crate) resave: bool,
    pub(crate) when_too_large: TooLargeName,
    pub(crate) on_store_failure: StoreFailureName,
    pub(crate) store_timeout: Duration,
    pub(crate) accept_inline_until: Option<Timestamp>,
    pub(crate) insecure_for_development: bool,
    pub(super) keys: Keys,
    pub(crate) cookie: CookieAttributes,
    pub(crate) lifetimes: LifetimeSettings,
    pub(crate) sizes: SizeSettings,
    pub(crate) also_read: Vec<EarlierContext>,
    pub(crate) also_remove: Vec<CookieAttributes>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LifetimeSettings {
    pub(crate) idle_timeout: Duration,
    pub(super) absolute_timeout: OrNone,
    pub(crate) remember_max: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SizeSettings {
    pub(crate) inline_limit_bytes: Option<usize>,
    pub(crate) record_limit_bytes: usize,
    pub(crate) padding_bucket_bytes: usize,
}

/// What cookies were bound to earlier. What is left out is as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EarlierContext {
    pub(crate) cookie_name: Option<String>,
    pub(crate) audience: Option<String>,
}

/// A duration, or the word `none`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OrNone(pub(super) Option<Duration>);

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            audience: String::new(),
            store: NO_STORE.to_owned(),
            placement: None,
            renewal: None,
            rolling: None,
            clear_with_browser: false,
            save_uninitialized: false,
            resave: false,
            when_too_large: TooLargeName::TrimFlash,
            on_store_failure: StoreFailureName::FailClosed,
            store_timeout: Duration::from_millis(limits::STORE_TIMEOUT_MILLISECONDS),
            accept_inline_until: None,
            insecure_for_development: false,
            keys: Keys::default(),
            cookie: CookieAttributes::default(),
            lifetimes: LifetimeSettings {
                idle_timeout: Duration::from_secs(limits::IDLE_TIMEOUT_SECONDS),
                absolute_timeout: OrNone(Some(Duration::from_secs(limits::ABSOLUTE_TIMEOUT_SECONDS))),
                remember_max: None,
            },
            sizes: SizeSettings {
                inline_limit_bytes: None,
                record_limit_bytes: limits::RECORD_PAYLOAD_MAX_BYTES,
                padding_bucket_bytes: limits::COOKIE_PADDING_BUCKET_BYTES,
            },
            also_read: Vec::new(),
            also_remove: Vec::new(),
        }
    }
}

impl Table for Settings {
    // Values first, then sections, then lists of tables: the order in which TOML has to be written.
    const ROWS: &'static [Row<Self>] = &[
        Row::new("enabled", "enabled", slot!(enabled)),
        Row::new("audience", "audience", slot!(audience)),
        Row::new(
            "store",
            "store",
            slot!(
                store,
                "`cookie`, or the name of a registered store: letters, digits, `_` and `-`, 64 at most",
                |name: &String| is_store_name(name)
            ),
        ),
        Row::new("placement", "placement", slot!(placement)),
        Row::new("renewal", "renewal", slot!(renewal)),
        Row::new("rolling", "rolling", slot!(rolling)),
        Row::new("clear_with_browser", "clear_with_browser", slot!(clear_with_browser)),
        Row::new("save_uninitialized", "save_uninitialized", slot!(save_uninitialized)),
        Row::new("resave", "resave", slot!(resave)),
        Row::new("when_too_large", "when_too_large", slot!(when_too_large)),
        Row::new("on_store_failure", "on_store_failure", slot!(on_store_failure)),
        Row::new(
            "store_timeout",
            "store_timeout",
            slot!(store_timeout, "one millisecond or more, with its unit, such as `500ms`", |timeout| !timeout
                .is_zero()),
        ),
        Row::new("accept_inline_until", "accept_inline_until", slot!(accept_inline_until)),
        Row::new("insecure_for_development", "insecure_for_development", slot!(insecure_for_development)),
        Row::new("keys", "", section!(Section, keys)),
        Row::new("cookie", "", section!(Section, cookie)),
        Row::new("lifetimes", "", section!(Section, lifetimes)),
        Row::new("sizes", "", section!(Section, sizes)),
        Row::new("also_read", "also_read", section!(List, also_read)),
        Row::new("also_remove", "also_remove", section!(List, also_remove)),
    ];
}

impl Table for CookieAttributes {
    const ROWS: &'static [Row<Self>] = &[
        Row::new("name", "name", slot!(name)),
        Row::new("path", "path", slot!(path)),
        Row::new("domain", "domain", slot!(domain)),
        Row::new("secure", "secure", slot!(secure)),
        Row::new("http_only", "http_only", slot!(http_only)),
        Row::new("same_site", "same_site", slot!(same_site)),
        Row::new("partitioned", "partitioned", slot!(partitioned)),
    ];
}

impl Table for LifetimeSettings {
    const ROWS: &'static [Row<Self>] = &[
        Row::new("idle_timeout", "idle_timeout", slot!(idle_timeout)),
        Row::new("absolute_timeout", "absolute_timeout", slot!(absolute_timeout)),
        Row::new("remember_max", "remember_max", slot!(remember_max)),
    ];
}

impl Table for SizeSettings {
    const ROWS: &'static [Row<Self>] = &[
        Row::new("inline_limit_bytes", "inline_limit_bytes", slot!(inline_limit_bytes)),
        Row::new("record_limit_bytes", "record_limit_bytes", slot!(record_limit_bytes)),
        Row::new(
            "padding_bucket_bytes",
            "padding_bucket_bytes",
            slot!(padding_bucket_bytes, "a whole number of bytes from 1 to 1024", |bytes| {
                (1..=limits::COOKIE_PADDING_BUCKET_MAX_BYTES).contains(bytes)
            }),
        ),
    ];
}

impl Table for EarlierContext {
    const ROWS: &'static [Row<Self>] =
        &[Row::new("cookie_name", "", slot!(cookie_name)), Row::new("audience", "", slot!(audience))];
}

impl Leaf for OrNone {
    fn read(node: &Node, at: &At) -> Result<Self, ConfigError> {
        let Node::Text(text) = node else {
            return Err(at.unlike(OR_NONE, Form::Text, node));
        };
        if text.as_str() == "none" {
            return Ok(Self(None));
        }
        duration::read(text).map(|read| Self(Some(read))).ok_or_else(|| at.unlike(OR_NONE, Form::Text, node))
    }

    fn write(&self) -> Node {
        Node::text(self.0.map_or_else(|| "none".to_owned(), duration::write))
    }
}

const OR_NONE: &str = "a duration with its unit, such as `30d`, or `none`";

// Security: an address with a password in it is no name, and a name may be shown.
pub(super) fn is_store_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}
