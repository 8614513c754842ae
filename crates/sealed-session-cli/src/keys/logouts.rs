//! Whom an edit of a key file logs out, in closed form: what one of the two rings seals, and a server with the other does not
//! open.
//!
//! In each ring a key seals in one stretch of time and opens what was issued in one stretch of time, until one instant: wire
//! format, section 7. So the cookies of a key that a ring refuses are those sealed from one instant to another, refused from
//! one instant to another, and nothing has to be simulated.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sealed_session::limits::CLOCK_SKEW_SECONDS;
use sealed_session::operator::{KeyStatus, RotationSettings};
use sealed_session::{KeyId, KeyRing, Reason, Timestamp};

use super::seal_windows::SealWindows;

/// One ring takes the place of another on every server, on each at an instant of its own.
pub(super) struct RollOut<'a> {
    pub(super) old: &'a KeyRing,
    pub(super) new: &'a KeyRing,
    /// When the first server loads the new ring.
    pub(super) start: Timestamp,
    /// By when the last one has.
    pub(super) end: Timestamp,
    /// The largest difference between the clocks of two servers. Half of it is how far a clock is off.
    pub(super) skew_seconds: u64,
    pub(super) rotation: RotationSettings,
    pub(super) grace: Duration,
    pub(super) idle: Duration,
    /// The longest time that one cookie is valid after its sealing.
    pub(super) longest_cookie: Duration,
}

/// Sessions that end, or are out of reach for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logout {
    pub(super) key_id: KeyId,
    pub(super) cause: Cause,
    /// They began before a `not-before` that is new: the edit is there to end them.
    pub(super) is_intended: bool,
    /// When their cookies are sealed.
    pub(super) sealed: Seconds,
    /// When a server refuses them.
    pub(super) refused: Seconds,
    /// The last second that one of their cookies says it was issued in, by the clock of its server.
    pub(super) last_issued: Timestamp,
    /// They live longer than the idle timeout after their last use.
    pub(super) is_remembered: bool,
}

/// Why a server refuses the cookies of a key, while old and new rings run side by side or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The old ring has not the key.
    NotLoaded,
    /// In the old ring the key begins later.
    BeginsTooEarly,
    /// In the old ring the key has ended.
    EndsTooLate,
    /// The new ring has not the key.
    TakenOut,
    /// In the new ring the key begins later than it did.
    BeginsTooLate,
    /// In the new ring the key ends while servers with the old one go on sealing with it.
    EndsTooEarly,
    /// In the new ring the key opens nothing while its cookies are still valid.
    OpensTooShort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Old,
    New,
}

/// From the first second to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// Cookies of a key, by who seals them.
struct Cookies {
    key_id: KeyId,
    /// By the clocks of the servers that seal them.
    issued: Seconds,
    /// When servers seal by this ring.
    sealed: Seconds,
    /// Without the edit they would be there, too, and be refused from then on.
    ends_anyway: Option<Timestamp>,
}

/// What a ring refuses of the cookies of a key.
#[derive(Clone, Copy)]
struct Refused {
    cause: Cause,
    /// By the clocks of the servers that seal them.
    issued: Seconds,
    /// By the clock of the server that refuses them.
    from: Timestamp,
    is_intended: bool,
}

impl RollOut<'_> {
    /// Everybody who is logged out by the edit, in groups of one key and one cause.
    pub(super) fn logouts(&self) -> Vec<Logout> {
        let mut groups = BTreeMap::<_, Logout>::new();
        for cookies in self.cookies() {
            for (which, refused) in [Which::Old, Which::New].iter().flat_map(|which| self.refused_by(*which, &cookies))
            {
                for logout in
                    self.wanted_and_not(refused).iter().filter_map(|refused| self.logout(which, &cookies, refused))
                {
                    let group = groups.entry((logout.is_intended, logout.key_id, logout.cause));
                    group.and_modify(|known| known.join(&logout)).or_insert(logout);
                }
            }
        }
        let mut logouts: Vec<_> = groups.into_values().collect();
        logouts.sort_by_key(|logout| (logout.is_intended, logout.refused.first));
        logouts
    }

    /// What servers seal from the start on, and what is valid then.
    fn cookies(&self) -> Vec<Cookies> {
        let key_ids: BTreeSet<_> = self.old.key_ids().chain(self.new.key_ids()).collect();
        let [old_windows, new_windows] = [self.old, self.new].map(SealWindows::of);
        let by_old = Seconds { last: earlier(self.end, 1), ..Seconds::ALL };
        let by_new = Seconds { first: self.start, ..Seconds::ALL };
        let earlier_on = Seconds { last: earlier(self.start, 1), ..Seconds::ALL };
        let mut all = Vec::new();
        for key_id in key_ids {
            let status = self.status(Which::Old, key_id);
            // When a key sealed that only opens, no ring says any more; before now in any case.
            let open_only = status.as_ref().filter(|status| status.open_only);
            let open_only =
                open_only.map(|status| Seconds::between(status.seal_from, status.seal_until).and(earlier_on));
            let seconds = |windows: &SealWindows| {
                windows.of_key(key_id).map_or(Seconds::NONE, |(first, last)| Seconds::between(first, last))
            };
            let [old, new] = [open_only.unwrap_or_else(|| seconds(&old_windows)), seconds(&new_windows)];
            let sealed_by_old = if open_only.is_some() { earlier_on } else { by_old };
            let ends_anyway = status.and_then(|status| status.open_until);
            let in_both = |issued, sealed| Cookies { key_id, issued, sealed, ends_anyway };
            all.extend([in_both(old, sealed_by_old), in_both(new.and(old), by_new)]);
            let rest = if old.is_empty() { [new, Seconds::NONE] } else { [new.before(old.first), new.after(old.last)] };
            all.extend(rest.map(|issued| Cookies { key_id, issued, sealed: by_new, ends_anyway: None }));
        }
        all
    }

    /// What a server with this ring does not open of them, although it is not too old.
    fn refused_by(&self, which: Which, cookies: &Cookies) -> Vec<(Which, Refused)> {
        let (issued, always) = (cookies.issued, Timestamp::default());
        let refused = |cause, issued, from| (which, Refused { cause, issued, from, is_intended: false });
        let Some(status) = self.status(which, cookies.key_id) else {
            let cause = if which == Which::Old { Cause::NotLoaded } else { Cause::TakenOut };
            return vec![refused(cause, issued, always)];
        };
        let [begins, ends, expires] = match which {
            Which::Old => [Cause::BeginsTooEarly, Cause::EndsTooLate, Cause::EndsTooLate],
            Which::New => [Cause::BeginsTooLate, Cause::EndsTooEarly, Cause::OpensTooShort],
        };
        let first = status.seal_from.map_or(always, |from| earlier(from, CLOCK_SKEW_SECONDS));
        let last = status.seal_until.map_or(Timestamp::MAX, |until| later(until, self.grace.as_secs()));
        let expired = status.open_until.map(|from| refused(expires, issued.and(Seconds { first, last }), from));
        [refused(begins, issued.before(first), always), refused(ends, issued.after(last), always)]
            .into_iter()
            .chain(expired)
            .collect()
    }

    /// Those that nobody wants to end, and those that a `not-before` is there to end. One that is not new has ended them.
    fn wanted_and_not(&self, refused: Refused) -> [Refused; 2] {
        let not_before = self.old.not_before().max(self.new.not_before()).unwrap_or_default();
        let is_new = self.new.not_before() > self.old.not_before();
        let wanted = refused.issued.and(Seconds { first: not_before, ..Seconds::ALL });
        let intended = if is_new { refused.issued.before(not_before) } else { Seconds::NONE };
        [Refused { issued: wanted, ..refused }, Refused { issued: intended, is_intended: true, ..refused }]
    }

    /// By the true time, where there are such cookies and such servers.
    fn logout(&self, which: Which, cookies: &Cookies, refused: &Refused) -> Option<Logout> {
        let Refused { cause, issued, from, is_intended } = *refused;
        // A clock is behind the true time by so much, or ahead of it.
        let behind = self.skew_seconds / 2;
        let ahead = self.skew_seconds - behind;
        let lives_seconds = self.longest_cookie.as_secs().saturating_sub(1);
        let shown = Seconds { first: from.max(earlier(self.start, behind)), ..Seconds::ALL };
        let shown = cookies.ends_anyway.map_or(shown, |until| shown.before(until));
        let in_use = if which == Which::Old { earlier(self.end, 1) } else { Timestamp::MAX };
        let judged_until = in_use.min(later(shown.last, behind));
        let issued = issued
            .and(Seconds { first: earlier(shown.first, lives_seconds), last: later(judged_until, ahead) })
            .and(Seconds { first: earlier(cookies.sealed.first, behind), last: later(cookies.sealed.last, ahead) });
        let last = judged_until.min(later(issued.last, lives_seconds.saturating_add(behind)));
        let sealed = Seconds { first: earlier(issued.first, ahead), last: later(issued.last, behind).min(last) }
            .and(cookies.sealed);
        let refused = Seconds { first: sealed.first.max(self.start).max(earlier(from, ahead)), last };
        let is_remembered = shown.first.saturating_seconds_since(issued.last) >= self.idle.as_secs();
        let is_there = ![shown, issued, sealed, refused].iter().any(Seconds::is_empty);
        let (key_id, last_issued) = (cookies.key_id, issued.last);
        is_there.then_some(Logout { key_id, cause, is_intended, sealed, refused, last_issued, is_remembered })
    }

    fn status(&self, which: Which, key_id: KeyId) -> Option<KeyStatus> {
        let ring = if which == Which::Old { self.old } else { self.new };
        ring.statuses(&self.rotation, self.start).find(|status| status.key_id == key_id)
    }
}

/// In words.
impl RollOut<'_> {
    /// Who is logged out, when and why.
    pub(super) fn message(&self, logout: &Logout) -> String {
        let Logout { key_id, sealed, refused, .. } = logout;
        let who = if logout.is_remembered { "whoever is remembered and came" } else { "whoever came" };
        let [from, until, back, over] =
            [sealed.first, sealed.last, refused.first, refused.end()].map(Timestamp::to_rfc3339);
        let meant = if logout.is_intended { ", and not-before is there to end these sessions" } else { "" };
        format!(
            "{who} last from {from} to {until}, under {key_id}, and comes back from {back} to {over} is logged out ({}), \
             because {}{meant}",
            logout.cause.reason(),
            self.why(logout),
        )
    }

    fn why(&self, logout: &Logout) -> String {
        let key_id = logout.key_id;
        let time = |time: Option<Timestamp>| time.map_or_else(|| "its end".to_owned(), Timestamp::to_rfc3339);
        let [old, new] = [Which::Old, Which::New].map(|which| self.status(which, key_id));
        let until = |status: Option<KeyStatus>| time(status.and_then(|status| status.seal_until));
        match logout.cause {
            Cause::NotLoaded => {
                format!("servers with the old file, until {}, do not know {key_id}", self.end.to_rfc3339())
            }
            Cause::BeginsTooEarly => {
                let from = time(old.and_then(|status| status.seal_from));
                format!("on servers with the old file, until {}, {key_id} begins at {from}", self.end.to_rfc3339())
            }
            Cause::EndsTooLate => {
                format!(
                    "on servers with the old file, until {}, {key_id} ends at {}",
                    self.end.to_rfc3339(),
                    until(old)
                )
            }
            Cause::TakenOut => format!("{key_id} is not in the new file"),
            Cause::BeginsTooLate => {
                format!("in the new file {key_id} begins at {}", time(new.and_then(|status| status.seal_from)))
            }
            Cause::EndsTooEarly => {
                format!("in the new file {key_id} ends at {}, and servers with the old one seal longer", until(new))
            }
            Cause::OpensTooShort => {
                format!("in the new file {key_id} opens until {}", time(new.and_then(|status| status.open_until)))
            }
        }
    }

    /// The change that keeps these sessions.
    pub(super) fn avoid(&self, logout: &Logout) -> String {
        let (key_id, over) = (logout.key_id, logout.refused.end().to_rfc3339());
        let last = logout.last_issued.to_rfc3339();
        match logout.cause {
            Cause::NotLoaded | Cause::BeginsTooEarly => {
                let loaded = later(self.end, self.skew_seconds);
                let before = self.old.sealing_key_id(self.start).map_or_else(String::new, |before| {
                    format!(", and leave {before} in without `open-only`, to seal until then")
                });
                format!("set `seal-from={}` or later on {key_id}{before}, or roll out sooner", loaded.to_rfc3339())
            }
            Cause::EndsTooLate => format!(
                "leave the end of {key_id} as it is, or have the new file on every server before {}",
                logout.refused.first.to_rfc3339()
            ),
            Cause::TakenOut => {
                format!(
                    "keep {key_id} until {over}, with `seal-until={last}`, and with `open-only` if another key seals"
                )
            }
            Cause::BeginsTooLate => match self.status(Which::Old, key_id).and_then(|status| status.seal_from) {
                Some(from) => format!("leave `seal-from={}` on {key_id}", from.to_rfc3339()),
                None => format!("leave {key_id} without `seal-from`"),
            },
            Cause::EndsTooEarly => {
                format!(
                    "let {key_id} seal until {last}: set its `seal-until` to it, and the next `seal-from` to no earlier, or roll out sooner"
                )
            }
            Cause::OpensTooShort => format!("set `open-until={over}` or later on {key_id}, or leave the mark out"),
        }
    }
}

impl Logout {
    fn join(&mut self, other: &Self) {
        self.sealed = self.sealed.or(other.sealed);
        self.refused = self.refused.or(other.refused);
        self.last_issued = self.last_issued.max(other.last_issued);
        self.is_remembered &= other.is_remembered;
    }
}

impl Cause {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::NotLoaded => "not_loaded",
            Self::BeginsTooEarly => "begins_too_early",
            Self::EndsTooLate => "ends_too_late",
            Self::TakenOut => "taken_out",
            Self::BeginsTooLate => "begins_too_late",
            Self::EndsTooEarly => "ends_too_early",
            Self::OpensTooShort => "opens_too_short",
        }
    }

    /// The reason code that the refusing server's log shows.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::NotLoaded | Self::TakenOut => Reason::UnknownKey,
            _ => Reason::KeyRetired,
        }
    }
}

impl Seconds {
    const ALL: Self = Self { first: Timestamp::from_unix_seconds(0), last: Timestamp::MAX };
    const NONE: Self = Self { first: Timestamp::MAX, last: Timestamp::from_unix_seconds(0) };

    fn between(first: Option<Timestamp>, last: Option<Timestamp>) -> Self {
        Self { first: first.unwrap_or_default(), last: last.unwrap_or(Timestamp::MAX) }
    }

    fn and(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    fn or(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    fn before(self, instant: Timestamp) -> Self {
        if instant == Timestamp::default() {
            Self::NONE
        } else {
            self.and(Self { last: earlier(instant, 1), ..Self::ALL })
        }
    }

    fn after(self, instant: Timestamp) -> Self {
        if instant == Timestamp::MAX { Self::NONE } else { self.and(Self { first: later(instant, 1), ..Self::ALL }) }
    }

    fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// The first second that is over.
    pub(super) const fn end(self) -> Timestamp {
        later(self.last, 1)
    }
}

/// So many seconds before, 1970 at the earliest.
const fn earlier(instant: Timestamp, seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(instant.unix_seconds().saturating_sub(seconds))
}

const fn later(instant: Timestamp, seconds: u64) -> Timestamp {
    instant.saturating_add_seconds(seconds)
}
