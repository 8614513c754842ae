//! What the tests of DynamoDB and of MongoDB share.

pub(crate) mod calls;
pub(crate) mod sessions;
