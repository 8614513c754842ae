//! The limits that a cookie meets on its way.

use sealed_session::cookie::CookieAttributes;
use sealed_session::limits::{COOKIE_NAME_AND_VALUE_MAX_BYTES, INLINE_LIMIT_WITH_STORE_BYTES};
use sealed_session::operator::CookieLengths;
use serde_json::{Value, json};

/// `proxy_buffer_size` of stock nginx: one page of memory for all headers of a response.
const NGINX_HEADERS_MAX_BYTES: usize = 4096;

/// What a header line has beside its value.
const SET_COOKIE_FRAME_BYTES: usize = "Set-Cookie: \r\n".len();

pub(super) struct Limit {
    pub(super) name: &'static str,
    what: &'static str,
    max_bytes: usize,
    payload_bytes: usize,
    pub(super) payload_max_bytes: usize,
    /// Beyond it no browser has the cookie, or the application does not send it.
    pub(super) is_binding: bool,
}

/// Every limit, those that bind first.
pub(super) fn limits(attributes: &CookieAttributes, own: Option<usize>, payload_bytes: usize) -> Vec<Limit> {
    let limit = |name, what, max_bytes, set_cookie_max_bytes, is_binding| {
        let lengths = CookieLengths::new(attributes.value_max_characters(set_cookie_max_bytes));
        Limit { name, what, max_bytes, payload_bytes, payload_max_bytes: lengths.payload_max_bytes(), is_binding }
    };
    let nginx = NGINX_HEADERS_MAX_BYTES - SET_COOKIE_FRAME_BYTES;
    let own = own.map(|bytes| limit("--limit", "`Set-Cookie` value, as asked for", bytes, Some(bytes), true));
    [limit("browser", "name and value, what browsers keep", COOKIE_NAME_AND_VALUE_MAX_BYTES, None, true)]
        .into_iter()
        .chain(own)
        .chain([
            limit(
                "with_store",
                "`Set-Cookie` value, default where a store is configured",
                INLINE_LIMIT_WITH_STORE_BYTES,
                Some(INLINE_LIMIT_WITH_STORE_BYTES),
                false,
            ),
            limit(
                "nginx",
                "all response headers, stock nginx; others need room, too",
                NGINX_HEADERS_MAX_BYTES,
                Some(nginx),
                false,
            ),
        ])
        .collect()
}

impl Limit {
    pub(super) const fn fits(&self) -> bool {
        self.payload_bytes <= self.payload_max_bytes
    }

    /// Below zero when it does not fit.
    fn left_bytes(&self) -> i128 {
        let number = |bytes: usize| i128::try_from(bytes).unwrap_or(i128::MAX);
        number(self.payload_max_bytes) - number(self.payload_bytes)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.name,
            "max_bytes": self.max_bytes,
            "payload_max_bytes": self.payload_max_bytes,
            "left_bytes": i64::try_from(self.left_bytes()).unwrap_or(i64::MIN),
            "fits": self.fits(),
        })
    }

    pub(super) fn text(&self) -> String {
        let left = self.left_bytes();
        let mark = if self.fits() { "" } else { ", does not fit" };
        format!("{left:>8}  {} ({} bytes: {}){mark}", self.name, self.max_bytes, self.what)
    }
}
