//! The bytes of wire format version 1, drawn once. Big-endian throughout; lengths in bytes.
//!
//! ```text
//! envelope    version 0x01 (1) ‖ key id (8) ‖ nonce (24) ‖ ciphertext (n) ‖ tag (16)                       cookies and records
//! text        base64url(envelope), no padding, strict
//!
//! cookie      kind and flags (1) ‖ session id (16) ‖ created (5) ‖ issued (5) ‖ expires (5) ‖ payload ‖ padding
//!             kind 0 inline: the payload is a JSON object      kind 1 reference: the payload is the least version (8)
//! record      kind, state, persistence (1) ‖ version (8) ‖ created (5) ‖ updated (5) ‖ expires (5) ‖ lifetime (5)
//!             ‖ base write (8) ‖ base issued (5) ‖ last eight writes (64) ‖ payload ‖ padding
//! padding     0x80, then zeros
//!
//! associated data
//!   cookie    lp8("sealed-session/v1 cookie") ‖ envelope[0..9] ‖ lp16(cookie name) ‖ lp16(audience)
//!   record    lp8("sealed-session/v1 record") ‖ envelope[0..9] ‖ record id (16)    ‖ lp16(audience)
//!
//! CSRF token  base64url( 0x01 (1) ‖ key id (8) ‖ salt (16) ‖ mac (16) )
//! marker      base64url( 0x01 (1) ‖ key id (8) ‖ set at (5) ‖ mac (16) )
//! ```

#![warn(clippy::arithmetic_side_effects)]

pub(crate) mod cookie;
pub(crate) mod marker;
pub(crate) mod record;

/// The version byte of an envelope, and of a CSRF token.
pub(crate) const VERSION: u8 = 1;
