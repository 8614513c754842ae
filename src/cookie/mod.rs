//! The session cookie: its attributes, and how it is read from a request and written to a response (RFC 6265bis).
//!
//! Bytes come in, text goes out, and nothing here knows what a value means. The parser is a few lines of our own and not
//! the `cookie` crate, because it reads bytes (a neighbour's cookie may not be UTF-8, and one such cookie must not hide
//! ours), reads any number of header fields (RFC 9113 §8.2.3), never decodes and never allocates; and because the writer
//! has to know the length of a line before its value exists.

mod attributes;
pub(crate) mod header;

pub use attributes::{CookieAttributes, SameSite};
