//! A store that answers wrongly costs an error, and never a panic, an endless loop, or a session that has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pollster::block_on;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{Placement, Session, SessionManager, Timestamp};

use super::{destroys, in_record, inline, regenerates, returned, returns};
use crate::browser::{Browser, Request};
use crate::support::{Handler, LARGE, Site, ignore, text};

/// In what a store is wrong, and always.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    FindsNothing,
    FindsNothingThatAlreadyExists,
    FindsNothingAndConflicts,
    FindsOtherVersions,
    FindsNoBytes,
    AlreadyExists,
    Conflicts,
    IsMissing,
    ForgetsWrites,
}

const WRONG: [Wrong; 9] = [
    Wrong::FindsNothing,
    Wrong::FindsNothingThatAlreadyExists,
    Wrong::FindsNothingAndConflicts,
    Wrong::FindsOtherVersions,
    Wrong::FindsNoBytes,
    Wrong::AlreadyExists,
    Wrong::Conflicts,
    Wrong::IsMissing,
    Wrong::ForgetsWrites,
];

/// More calls than any request makes.
const CALLS_MAX: usize = 1000;

#[derive(Clone)]
struct Contradicting {
    records: FaultyStore,
    clock: ManualClock,
    wrong: Wrong,
    calls: Arc<AtomicUsize>,
}

impl Contradicting {
    /// A call takes a second, so that a request soon gives up.
    fn takes_a_second(&self) {
        self.clock.advance_seconds(1);
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(calls < CALLS_MAX, "an endless loop: {:?}", self.wrong);
    }
}

impl RecordStore for Contradicting {
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        self.takes_a_second();
        Box::pin(async move {
            let mut found = self.records.load(id).await?;
            match (self.wrong, &mut found) {
                (
                    Wrong::FindsNothing | Wrong::FindsNothingThatAlreadyExists | Wrong::FindsNothingAndConflicts,
                    found,
                ) => {
                    *found = None;
                }
                (Wrong::FindsOtherVersions, Some(record)) => record.version = record.version.wrapping_add(1),
                (Wrong::FindsNoBytes, Some(record)) => record.bytes = Vec::new(),
                _ => {}
            }
            Ok(found)
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        self.takes_a_second();
        match self.wrong {
            Wrong::FindsNothingThatAlreadyExists | Wrong::AlreadyExists => Box::pin(async { Ok(Created::Exists) }),
            Wrong::ForgetsWrites => Box::pin(async { Ok(Created::Created) }),
            _ => self.records.create(id, record),
        }
    }

    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
        self.takes_a_second();
        match self.wrong {
            Wrong::FindsNothingAndConflicts | Wrong::Conflicts => Box::pin(async { Ok(Updated::Conflict) }),
            Wrong::IsMissing => Box::pin(async { Ok(Updated::Missing) }),
            Wrong::ForgetsWrites => Box::pin(async { Ok(Updated::Updated) }),
            _ => self.records.update(id, record, expected),
        }
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        self.takes_a_second();
        self.records.touch(id, expires_at)
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        self.takes_a_second();
        self.records.destroy(id)
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.records.sweep(limit)
    }
}

#[test]
fn a_store_that_contradicts_itself_keeps_no_request_for_ever() {
    let acts: [Handler; 5] = [
        grows,
        regenerates,
        destroys,
        |session| session.forget("cart").unwrap(),
        |session| {
            session.invalidate().unwrap();
            grows(session);
        },
    ];
    type Begin = fn(&Site, &SessionManager) -> Browser;
    let begins: [(Placement, Begin); 3] =
        [(Placement::Spill, inline), (Placement::Spill, in_record), (Placement::StoreOnly, in_record)];
    for (placement, begin) in begins {
        for (wrong, act) in WRONG.into_iter().flat_map(|wrong| acts.map(|act| (wrong, act))) {
            let site = Site::new();
            let browser = begin(&site, &site.with_records().placement(placement).build().unwrap());
            let (records, clock) = (site.records.clone(), site.clock.clone());
            let store = Contradicting { records, clock, wrong, calls: Arc::default() };
            let manager = site.cookie_only().store(store).placement(placement).build().unwrap();
            let request = browser.begin(&manager);
            let Ok(session) = request.try_session() else { continue };
            act(&session);
            ignore((block_on(session.save()), request.try_commit()));
        }
    }
}

fn grows(session: &Session) {
    session.put("photo", &text(LARGE)).unwrap();
}

/// What may be in the store in place of its record.
const CHANGES: [fn(&mut Record); 7] = [
    |record| record.version = 0,
    |record| record.version = u64::MAX,
    |record| record.expires_at = Timestamp::from_unix_seconds(0),
    |record| record.expires_at = Timestamp::from_unix_seconds(u64::MAX),
    |record| record.bytes = Vec::new(),
    |record| record.bytes = vec![0; 49],
    |record| record.bytes = vec![255; 5000],
];

/// Begins a request whose record is changed before it is read, or after.
fn at_a_changed_record(rule: impl Fn(&SessionManager, Browser, Request, &dyn Fn())) {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for begin in [in_record, returned] {
            for (change, comes_late) in CHANGES.into_iter().flat_map(|change| [(change, false), (change, true)]) {
                let site = Site::new();
                let manager = site.with_records().placement(placement).build().unwrap();
                let browser = begin(&site, &manager);
                let changes = || site.records.tamper(|records| records.values_mut().for_each(change));
                let request = browser.begin(&manager);
                if comes_late {
                    rule(&manager, browser, request, &changes);
                } else {
                    changes();
                    rule(&manager, browser, request, &|| ());
                }
            }
        }
    }
}

#[test]
fn a_record_that_is_no_such_record_is_an_error_or_no_session() {
    let acts: [Handler; 5] = [
        |session| ignore(session.get::<u64>("user")),
        grows,
        regenerates,
        returns,
        |session| {
            session.invalidate().unwrap();
            session.put("user", &43).unwrap();
        },
    ];
    for act in acts {
        at_a_changed_record(|_, _, request, changes| {
            let Ok(session) = request.try_session() else { return };
            changes();
            act(&session);
            if let Err(failed) = request.try_commit() {
                assert!([409, 503].contains(&failed.status_code()), "{failed}");
            }
        });
    }
}

#[test]
fn a_logout_that_succeeds_holds_whatever_the_store_has_made_of_the_record() {
    for reads in [false, true] {
        at_a_changed_record(|manager, mut browser, request, changes| {
            let copy = browser.clone();
            if reads {
                let Ok(session) = request.try_session() else { return };
                changes();
                session.destroy().unwrap();
            } else {
                changes();
                ignore(request.0.end().unwrap());
            }
            let Ok(response) = request.try_commit() else { return };
            browser.receive(&response);
            assert_eq!(browser.cookie(), None);
            let Ok(session) = copy.begin(manager).try_session() else { return };
            assert_eq!(session.get::<u64>("user").unwrap(), None, "an older cookie opens the session");
        });
    }
}
