//! What the tests of several engines share.

pub(crate) mod calls;
pub(crate) mod sessions;
