//! The names of the policies.

use super::leaf::Choice;
use crate::settings::{Placement, Renewal, StoreFailure, TooLarge};

impl Choice for Placement {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Spill, "spill"), (Self::CookieOnly, "cookie_only"), (Self::StoreOnly, "store_only")];
}

impl Choice for Renewal {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::HalfLife, "half_life"), (Self::EveryResponse, "every_response"), (Self::OnWrite, "on_write")];
}

impl Choice for TooLarge {
    const ALL: &'static [(Self, &'static str)] = &[(Self::TrimFlash, "trim_flash"), (Self::Fail, "fail")];
}

impl Choice for StoreFailure {
    const ALL: &'static [(Self, &'static str)] = &[(Self::FailClosed, "fail_closed"), (Self::Ephemeral, "ephemeral")];
}
