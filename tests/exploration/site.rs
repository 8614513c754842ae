//! One site with its clock, its store and a browser, and the states in which the schedules begin.

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use sealed_session::testing::{CookieJar, ManualClock};
use sealed_session::{Key, Placement, RequestFacts, Session, SessionManager, Timestamp};

use crate::api::{self, OK, Status};
use crate::operation::{Operation, large};
use crate::store::{Records, ScheduledStore};
use crate::view::{SET_UP, View};

pub(crate) const COOKIE: &str = "__Host-session";

const BEGIN: u64 = 1_795_000_000;

const YEAR_SECONDS: u64 = 365 * 24 * 60 * 60;

/// More than half of the idle timeout of two hours.
const AGED_SECONDS: u64 = 3700;

/// A session of a few values fits three quarters of it, and one with a large value does not fit.
const INLINE_LIMIT_BYTES: usize = 1024;

/// Where the browser's session is when the requests begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A session without data, which exists for a CSRF token.
    Blank,
    Inline,
    /// In a cookie from before the placement was changed to `StoreOnly`, beside an older record whose response was lost.
    Migrated,
    /// In a cookie that was sealed in the very second in which the requests begin.
    Fresh,
    Stored,
    /// Back in its cookie, but the response was lost.
    Returned,
    /// Back in its cookie, and the browser has that.
    ReturnedDelivered,
    /// A login gave the session a new id, but its response was lost.
    Left,
    /// The same of a session that was in its cookie.
    LeftInline,
}

impl Origin {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Inline => "inline",
            Self::Migrated => "migrated",
            Self::Fresh => "fresh",
            Self::Stored => "stored",
            Self::Returned => "returned",
            Self::ReturnedDelivered => "returned-delivered",
            Self::Left => "left",
            Self::LeftInline => "left-inline",
        }
    }
}

/// What the session holds at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Data of an application, a counter, a one-time password.
    Full,
    /// The one-time password alone.
    OneKey,
}

/// The clock, the store and the manager, for one case after another.
pub(crate) struct Site {
    pub(crate) clock: ManualClock,
    pub(crate) store: ScheduledStore,
    pub(crate) manager: SessionManager,
    /// As it was before the placement was changed to `StoreOnly`.
    spilling: SessionManager,
    pub(crate) placement: Placement,
}

/// Everything that a schedule begins with.
pub(crate) struct Start {
    pub(crate) records: Records,
    pub(crate) jar: CookieJar,
    pub(crate) now: u64,
    pub(crate) origin: Origin,
    pub(crate) contents: Contents,
    /// What a request with these cookies must see.
    pub(crate) view: View,
}

impl Site {
    pub(crate) fn new(placement: Placement) -> Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        let key = KEY.get_or_init(|| Key::generate().unwrap()).clone();
        let clock = ManualClock::at_unix_seconds(BEGIN);
        let store = ScheduledStore::new(clock.clone());
        let manager = |placement| {
            let builder = SessionManager::builder(key.clone()).clock(clock.clone());
            let builder = match placement {
                Placement::CookieOnly => builder,
                placement => builder.store(store.clone()).placement(placement).inline_limit_bytes(INLINE_LIMIT_BYTES),
            };
            let builder = match placement {
                Placement::StoreOnly => builder.accept_inline_until(Timestamp::from_unix_seconds(BEGIN + YEAR_SECONDS)),
                _ => builder,
            };
            builder.build().unwrap()
        };
        Self { manager: manager(placement), spilling: manager(Placement::Spill), clock, store, placement }
    }

    /// Builds a start by requests of a browser.
    pub(crate) fn start(&self, origin: Origin, contents: Contents, is_aged: bool) -> Start {
        self.clock.set_unix_seconds(BEGIN);
        self.store.restore(&Records::new());
        let manager = if origin == Origin::Migrated { &self.spilling } else { &self.manager };
        let mut jar = CookieJar::new(self.clock.clone());
        let mut view = View { exists: true, ..View::default() };
        let is_large = matches!(origin, Origin::Stored | Origin::Returned | Origin::ReturnedDelivered | Origin::Left);
        if origin == Origin::Blank {
            self.set_up(manager, &mut jar, true, |session| drop(session.csrf_token().unwrap()));
        } else if contents == Contents::Full {
            view = View { data: true, base: 2, n: 5, otp: true, big: is_large, ..view };
            self.set_up(manager, &mut jar, true, |session| {
                session.put("data", &1).unwrap();
                session.put("n", &5).unwrap();
                session.put("otp", &1).unwrap();
                session.put("base", &1).unwrap();
                if is_large {
                    session.put("big", &large()).unwrap();
                }
            });
            self.set_up(manager, &mut jar, true, |session| session.put("base", &2).unwrap());
        } else {
            view.otp = true;
            self.set_up(manager, &mut jar, true, |session| {
                if is_large {
                    session.put("otp", &large()).unwrap();
                } else {
                    session.put("otp", &1).unwrap();
                }
            });
        }
        match origin {
            Origin::Blank | Origin::Inline | Origin::Fresh | Origin::Stored => {}
            Origin::Migrated => {
                self.set_up(manager, &mut jar, false, |session| session.put("late", &large()).unwrap());
                self.set_up(manager, &mut jar, true, |session| session.put("base", &3).unwrap());
                view.base = 3;
            }
            Origin::Returned | Origin::ReturnedDelivered => {
                let is_full = contents == Contents::Full;
                self.set_up(manager, &mut jar, origin == Origin::ReturnedDelivered, |session| {
                    if is_full {
                        session.forget("big").unwrap();
                        session.put("base", &3).unwrap();
                    } else {
                        session.put("otp", &1).unwrap();
                    }
                });
                view = View { big: false, base: if is_full { 3 } else { 0 }, ..view };
            }
            Origin::Left | Origin::LeftInline => self.set_up(manager, &mut jar, false, |session| {
                session.regenerate_and_reset_lifetime().unwrap();
                session.put("user", &SET_UP).unwrap();
            }),
        }
        if origin == Origin::Fresh {
            self.clock.set_unix_seconds(sealed_session::Clock::now(&self.clock).unix_seconds() - 1);
        }
        if is_aged {
            self.clock.advance_seconds(AGED_SECONDS);
        }
        let now = sealed_session::Clock::now(&self.clock).unix_seconds();
        Start { records: self.store.snapshot(), jar, now, origin, contents, view }
    }

    fn set_up(&self, manager: &SessionManager, jar: &mut CookieJar, is_delivered: bool, handle: impl FnOnce(&Session)) {
        let pending = Self::begin_at(manager, jar);
        let session = at_once(api::load(&pending)).unwrap();
        handle(&session);
        let (status, lines) = at_once(api::commit(&pending, OK));
        assert_eq!(status, OK, "the set-up");
        if is_delivered {
            lines.iter().for_each(|line| jar.receive(line));
        }
        self.clock.advance_seconds(1);
    }

    /// A request with the browser's cookies of now.
    pub(crate) fn begin(&self, jar: &CookieJar) -> sealed_session::PendingSession {
        Self::begin_at(&self.manager, jar)
    }

    fn begin_at(manager: &SessionManager, jar: &CookieJar) -> sealed_session::PendingSession {
        let header = jar.cookie_header();
        let facts = RequestFacts::new();
        manager.begin(&if header.is_empty() { facts } else { facts.cookie_header(header.as_bytes()) })
    }

    /// A request without faults or others beside it, whose response arrives.
    pub(crate) fn visit(&self, jar: &mut CookieJar, handle: impl FnOnce(&Session)) -> Result<View, Status> {
        let pending = self.begin(jar);
        let session = at_once(api::load(&pending))?;
        let seen = View::of(&session);
        handle(&session);
        let (status, lines) = at_once(api::commit(&pending, OK));
        lines.iter().for_each(|line| jar.receive(line));
        if status == OK { Ok(seen) } else { Err(status) }
    }

    pub(crate) fn read(&self, jar: &mut CookieJar) -> Result<View, Status> {
        self.visit(jar, |_| {})
    }

    /// A request that does this again, without faults or others beside it.
    pub(crate) fn repeat(&self, jar: &mut CookieJar, operation: Operation, number: usize) -> Status {
        let progress = std::rc::Rc::default();
        // Alone, its save is over before its commit.
        let operation = if operation == Operation::SaveBeside { Operation::SaveThenPut } else { operation };
        at_once(crate::operation::request(operation, number, self.begin(jar), &progress));
        let (status, lines) = progress.borrow_mut().response.take().unwrap();
        lines.iter().for_each(|line| jar.receive(line));
        status
    }

    /// The payload of a cookie that carries its session; `None` for a reference and for what cannot be opened.
    pub(crate) fn inline_payload(
        &self,
        value: &str,
    ) -> Option<sealed_session::json::Map<String, sealed_session::json::Value>> {
        let opened = self.manager.sealer().open(value, sealed_session::Clock::now(&self.clock)).ok()?;
        opened.payload()
    }

    pub(crate) fn is_reference(&self, value: &str) -> bool {
        let opened = self.manager.sealer().open(value, sealed_session::Clock::now(&self.clock));
        opened.is_ok_and(|opened| opened.is_reference())
    }
}

/// The result of a future whose calls are answered at once.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a call waits"),
    }
}
