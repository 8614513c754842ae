//! Why the crate is as it is, what it promises, and the bytes that it writes.
//!
//! | page | for |
//! |---|---|
//! | [`design`] | those who change the crate: the flow, the choices and their reasons |
//! | [`protocol`] | those who want to know what becomes of a session under races, faults and lost responses |
//! | [`threat_model`] | reviewers: what holds against whom, and what does not |
//! | [`rotation`] | operators: how keys are added, promoted, retired and revoked on servers that run |
//! | [`stores`] | operators: where sessions are kept, and what each place costs |
//! | [`frameworks`] | those who embed the crate, and what differs between frameworks |
//! | `configuration` (feature `config`) | operators: every setting, in a file or a variable, and its name elsewhere |
//! | [`performance`] | those who compare: how fast it is, next to what else there is, and the command for each figure |
//! | [`conformance`] | those who come from another session library: each promise, and the test that holds it |
//! | [`wire_format`] | those who write another reader: every byte |

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("protocol.md")]
pub mod protocol {}

#[doc = include_str!("threat_model.md")]
pub mod threat_model {}

#[doc = include_str!("rotation.md")]
pub mod rotation {}

#[doc = include_str!("stores.md")]
pub mod stores {}

#[doc = include_str!("frameworks.md")]
pub mod frameworks {}

#[cfg(feature = "config")]
#[cfg_attr(docsrs, doc(cfg(feature = "config")))]
#[doc = include_str!("configuration.md")]
pub mod configuration {}

#[doc = include_str!("performance.md")]
#[doc = include_str!("performance.svg")]
pub mod performance {}

#[doc = include_str!("conformance.md")]
pub mod conformance {}

#[doc = include_str!("wire_format.md")]
pub mod wire_format {}
