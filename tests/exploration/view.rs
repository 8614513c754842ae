//! What a request sees of its session, in a few bytes.

use sealed_session::Session;
use sealed_session::json::{Map, Value};

/// Text that makes a session outgrow its cookie where there is a store, and that fits three times where there is none.
pub(crate) const LARGE_BYTES: usize = 800;

/// What `server_only` keeps out of every cookie.
pub(crate) const SECRET: &str = "only for the server";

/// Who logged in during the set-up.
pub(crate) const SET_UP: u8 = 9;

/// Keys that a request puts under its own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Small,
    Large,
    Saved,
    AfterSave,
    ServerOnly,
}

impl Own {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Small, "small"),
        (Self::Large, "large"),
        (Self::Saved, "saved"),
        (Self::AfterSave, "then"),
        (Self::ServerOnly, "server"),
    ];

    pub(crate) fn key(self, request: usize) -> String {
        format!("{}{request}", Self::ALL[self as usize].1)
    }
}

/// A session, as the application sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// The request came with a session.
    pub(crate) exists: bool,
    pub(crate) data: bool,
    /// Raised by each step of the set-up, and by nothing later.
    pub(crate) base: u64,
    /// The counter.
    pub(crate) n: u64,
    pub(crate) otp: bool,
    /// The large value of the set-up.
    pub(crate) big: bool,
    /// The large value of the visits behind the schedule.
    pub(crate) late: bool,
    pub(crate) own: u32,
    /// Which request logged in, from 1; 0 for nobody.
    pub(crate) user: u8,
    pub(crate) role: u8,
    pub(crate) farewell: u8,
}

impl View {
    pub(crate) fn of(session: &Session) -> Self {
        let all = session.all();
        let mut view = Self { exists: session.id().is_some(), ..Self::of_map(&all) };
        view.exists |= !all.is_empty();
        view
    }

    pub(crate) fn of_map(all: &Map<String, Value>) -> Self {
        let mut view = Self::default();
        for (key, value) in all {
            let number = value.as_u64().unwrap_or_default();
            let small = u8::try_from(number).unwrap_or(u8::MAX);
            match key.as_str() {
                "data" => view.data = true,
                "base" => view.base = number,
                "n" => view.n = number,
                "otp" => view.otp = true,
                "big" => view.big = true,
                "late" => view.late = true,
                "user" => view.user = small,
                "role" => view.role = small,
                "farewell" => view.farewell = small,
                key => view.own |= own_bit(key),
            }
        }
        view
    }

    /// Whether anything is left of the session that the schedule began with.
    pub(crate) const fn has_old(&self) -> bool {
        self.data || self.base > 0 || self.otp || self.big
    }

    pub(crate) const fn has(&self, own: Own, request: usize) -> bool {
        self.own & (1 << (own as u32 * 4 + request as u32)) != 0
    }

    /// Whether everything that another view has is here too, the counter aside.
    pub(crate) fn keeps(&self, other: &Self) -> bool {
        self.data >= other.data
            && self.base >= other.base
            && self.otp >= other.otp
            && self.big >= other.big
            && self.late >= other.late
            && self.own & other.own == other.own
            && (other.user == 0 || self.user == other.user)
            && (other.role == 0 || self.role == other.role)
            && (other.farewell == 0 || self.farewell == other.farewell)
    }
}

fn own_bit(key: &str) -> u32 {
    let (name, request) = key.split_at(key.len() - 1);
    let own = Own::ALL.iter().find(|(_, found)| *found == name);
    let (own, request) = (own.unwrap().0 as u32, request.parse::<u32>().unwrap());
    1 << (own * 4 + request)
}
