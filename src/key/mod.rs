//! Key material, the ring of keys and its windows, and their text forms: wire format, sections 1 and 7.

#[allow(clippy::module_inception, reason = "the room is `key`, and so is what it is about")]
mod key;
mod key_text;
mod ring;
mod ring_text;

#[cfg(test)]
mod ring_tests;
#[cfg(test)]
mod ring_text_tests;
#[cfg(test)]
mod window_tests;

pub use key::{Key, KeyState, RingEntry, RingMarks, RotationSettings};
#[cfg(feature = "config")]
pub(crate) use key_text::may_hold_a_key;
pub(crate) use ring::{EarlyReload, Slot, WeakRingHandle};
pub use ring::{KeyReport, KeyRing, KeyStatus, RingHandle};
pub use ring_text::RingText;
