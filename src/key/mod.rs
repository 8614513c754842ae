//! Key material, the ring of keys, and their text forms: wire format, sections 1 and 7.

#[allow(clippy::module_inception, reason = "the room is `key`, and so is what it is about")]
mod key;
mod ring;
mod text;
mod weakness;

pub use key::Key;
pub use ring::{KeyRing, RingHandle};
#[cfg(feature = "config")]
pub(crate) use text::may_hold_a_key;
