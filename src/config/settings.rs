//! Every setting there is, with its default.

use std::time::Duration;

use super::duration;
use super::keys::Keys;
use super::leaf::{Form, Leaf};
use super::node::Node;
use super::table::{At, List, Row, Rule, Section, Slot, Table, section, slot};
use crate::cookie::CookieAttributes;
use crate::error::ConfigError;
use crate::limits;
use crate::settings::Sizes;

/// `store` without a server store.
pub(super) const NO_STORE: &str = "cookie";

/// What [`Config`](super::Config) holds: each setting is good by itself, and whether they go together is found when the
/// store is built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Those that the builder takes as they are.
    pub(crate) common: crate::settings::Settings,
    pub(super) store: String,
    pub(super) rolling: Option<bool>,
    pub(super) keys: Keys,
    pub(crate) lifetimes: LifetimeSettings,
    pub(crate) also_read: Vec<EarlierContext>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LifetimeSettings {
    pub(crate) idle_timeout: Duration,
    pub(super) absolute_timeout: OrNone,
    pub(crate) remember_max: Option<Duration>,
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
            common: crate::settings::Settings::default(),
            store: NO_STORE.to_owned(),
            rolling: None,
            keys: Keys::default(),
            lifetimes: LifetimeSettings {
                idle_timeout: Duration::from_secs(limits::IDLE_TIMEOUT_SECONDS),
                absolute_timeout: OrNone(Some(Duration::from_secs(limits::ABSOLUTE_TIMEOUT_SECONDS))),
                remember_max: None,
            },
            also_read: Vec::new(),
        }
    }
}

impl Table for Settings {
    // Values first, then sections, then lists of tables: the order in which TOML has to be written.
    const ROWS: &'static [Row<Self>] = &[
        Row::new("enabled", "enabled", slot!(common.enabled)),
        Row::new("audience", "audience", slot!(common.audience)),
        Row::new(
            "store",
            "store",
            slot!(
                store,
                "`cookie`, or the name of a registered store: letters, digits, `_` and `-`, 64 at most",
                |name: &String| is_store_name(name)
            ),
        ),
        Row::new("placement", "placement", slot!(common.placement)),
        Row::new("renewal", "renewal", slot!(common.renewal)),
        Row::new("rolling", "renewal", slot!(rolling)),
        Row::new("clear_with_browser", "clear_with_browser", slot!(common.clear_with_browser)),
        Row::new("save_uninitialized", "save_uninitialized", slot!(common.save_uninitialized)),
        Row::new("resave", "resave", slot!(common.resave)),
        Row::new("when_too_large", "when_too_large", slot!(common.when_too_large)),
        Row::new("on_store_failure", "on_store_failure", slot!(common.on_store_failure)),
        Row::new(
            "store_timeout",
            "store_timeout",
            slot!(common.store_timeout, "one millisecond or more, with its unit, such as `500ms`", |timeout| !timeout
                .is_zero()),
        ),
        Row::new("accept_inline_until", "accept_inline_until", slot!(common.accept_inline_until)),
        Row::new("insecure_for_development", "insecure_for_development", slot!(common.insecure_for_development)),
        Row::new("keys", "", section!(Section, keys)),
        Row::new("cookie", "", section!(Section, common.cookie)),
        Row::new("lifetimes", "", section!(Section, lifetimes)),
        Row::new("sizes", "", section!(Section, common.sizes)),
        Row::new("also_read", "also_read", section!(List, also_read)),
        Row::new("also_remove", "also_remove", section!(List, common.also_remove)),
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

impl Table for Sizes {
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
