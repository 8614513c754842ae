//! The policies that have a name. Each is another room's, and `manager` translates: this room makes nothing.

use super::leaf::Choice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlacementName {
    Spill,
    CookieOnly,
    StoreOnly,
}

impl Choice for PlacementName {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Spill, "spill"), (Self::CookieOnly, "cookie_only"), (Self::StoreOnly, "store_only")];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RenewalName {
    HalfLife,
    EveryResponse,
    OnWrite,
}

impl Choice for RenewalName {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::HalfLife, "half_life"), (Self::EveryResponse, "every_response"), (Self::OnWrite, "on_write")];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooLargeName {
    TrimFlash,
    Fail,
}

impl Choice for TooLargeName {
    const ALL: &'static [(Self, &'static str)] = &[(Self::TrimFlash, "trim_flash"), (Self::Fail, "fail")];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFailureName {
    FailClosed,
    Ephemeral,
}

impl Choice for StoreFailureName {
    const ALL: &'static [(Self, &'static str)] = &[(Self::FailClosed, "fail_closed"), (Self::Ephemeral, "ephemeral")];
}
