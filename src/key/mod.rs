//! Key material, the ring of keys and its windows, and their text forms: wire format, sections 1 and 7.

#[allow(clippy::module_inception, reason = "the room is `key`, and so is what it is about")]
mod key;
mod ring;
mod ring_text;
mod text;

#[cfg(test)]
mod ring_rules;
#[cfg(test)]
mod ring_text_rules;
#[cfg(test)]
mod window_rules;

pub use key::{Key, KeyState, RingEntry, RingMarks, RotationSettings};
pub(crate) use ring::{EarlyReload, Slot, WeakRingHandle};
pub use ring::{KeyReport, KeyRing, KeyStatus, RingHandle};
pub use ring_text::RingText;
#[cfg(feature = "config")]
pub(crate) use text::may_hold_a_key;
