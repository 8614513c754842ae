//! What an application keeps, and how it comes back in a request.

use http::{HeaderMap, HeaderValue, header::COOKIE};
use serde::{Deserialize, Serialize};

use crate::with_another_tag;

/// What an application keeps, as one type.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Visit {
    /// A number: what "one key" is.
    pub user: u64,
    /// A short text.
    pub role: String,
    /// A list: a third of the bytes.
    pub cart: Vec<Item>,
    /// A long text: the rest of the bytes.
    pub note: String,
}

/// One of a list.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Item {
    /// A short text.
    pub sku: String,
    /// A number.
    pub count: u32,
}

impl Visit {
    /// A visit whose JSON has exactly so many bytes.
    ///
    /// # Panics
    ///
    /// For fewer than 49 bytes.
    #[must_use]
    pub fn of_bytes(bytes: usize) -> Self {
        let item = |number: usize| Item { sku: format!("sku-{number:05}"), count: 2 };
        let cart = (0..bytes / 90).map(item).collect();
        let mut visit = Self { user: 42, role: "admin".to_owned(), cart, note: String::new() };
        let length = serde_json::to_string(&visit).expect("it is JSON").len();
        visit.note = "a".repeat(bytes.checked_sub(length).expect("there is room"));
        visit
    }
}

/// The cookies of a request, as text and as a framework has them.
#[derive(Debug)]
pub struct Received {
    /// The value of the header `Cookie`.
    pub line: String,
    /// The header in a map.
    pub headers: HeaderMap,
}

impl Received {
    /// A request of a browser that keeps this `Set-Cookie` between two other cookies.
    ///
    /// # Panics
    ///
    /// When it is no header.
    #[must_use]
    pub fn with(set_cookie: &str) -> Self {
        let pair = set_cookie.split(';').next().expect("a pair");
        Self::of(format!("theme=dark; {pair}; _ga=GA1.2.3"))
    }

    /// The same with another tag.
    ///
    /// # Panics
    ///
    /// When it is no header.
    #[must_use]
    pub fn forged(set_cookie: &str) -> Self {
        let pair = set_cookie.split(';').next().expect("a pair").replace("%3D", "=");
        // The tag is at the end, after the last point where the text has parts.
        let at = pair.find('=').into_iter().chain(pair.rfind('.')).max().expect("it has a name") + 1;
        Self::of(format!("theme=dark; {}{}; _ga=GA1.2.3", &pair[..at], with_another_tag(&pair[at..])))
    }

    fn of(line: String) -> Self {
        let headers = [(COOKIE, HeaderValue::from_str(&line).expect("it is a header"))].into_iter().collect();
        Self { line, headers }
    }
}
