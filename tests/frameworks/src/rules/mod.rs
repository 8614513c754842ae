//! The rules of the scenario. Each has a server of its own.
#![expect(missing_docs, reason = "a rule is its name")]

mod cookies;
mod failures;
mod forgery;
mod life;
mod responses;
mod several;

pub use cookies::*;
pub use failures::*;
pub use forgery::*;
pub use life::*;
pub use responses::*;
pub use several::*;
