//! `sealed-session keys`, on real files. What depends on the time is far from its edges here: the command reads the real
//! clock, and its own tests choose theirs.

mod edits;
mod failures;
mod files;
mod logouts;
mod reports;
mod support;
