//! Key material, the ring of keys and its windows, and their text forms: wire format, sections 1 and 7.

mod counts;
mod editable;
mod entry;
mod handle;
#[allow(clippy::module_inception, reason = "the room is `key`, and so is what it is about")]
mod key;
mod marks;
mod report;
mod ring;
mod ring_text;
mod text;
mod weakness;
mod window;

#[cfg(test)]
mod editable_rules;
#[cfg(test)]
mod ring_rules;
#[cfg(test)]
mod window_rules;

pub use editable::RingText;
pub use entry::RingEntry;
pub use handle::RingHandle;
pub(crate) use handle::{EarlyReload, WeakRingHandle};
pub use key::Key;
pub use marks::RingMarks;
pub use report::KeyReport;
pub(crate) use ring::Slot;
pub use ring::{KeyRing, KeyStatus};
#[cfg(feature = "config")]
pub(crate) use text::may_hold_a_key;
pub use window::{KeyState, RotationSettings};
