//! The life of a session: what a user may rely on while requests meet, responses are lost, stores answer late or not at
//! all, and requests are dropped. Each test states one rule.
//!
//! Between two steps the clock moves on: within one second the order of two cookies cannot be told.

mod attacked;
mod beside_commit;
mod draws;
mod emptied;
mod interrupted;
mod kept_or_refused;
mod lasting;
mod logout;
mod markers;
mod moving;
mod once;
mod orphans;
mod read_again;
mod readable;
mod renewing;
mod replaying;
mod saved;
mod server_only;
mod stories;
mod taken_and_ended;
mod threads;
mod tried_again;
mod undecided;
mod wrong_answers;

use std::time::Duration;

use sealed_session::sealer::Opened;
use sealed_session::{Commit, Placement, Session, SessionManager};

use crate::browser::Browser;
use crate::support::{LARGE, Site, own_lines, text};

const DAY: u64 = 86_400;
const TEN_DAYS: Duration = Duration::from_secs(10 * DAY);

/// Some seconds go by.
fn later(site: &Site) {
    site.clock.advance_seconds(3);
}

/// The placements that have a store, over the records of this site.
fn with_store(site: &Site) -> [SessionManager; 2] {
    [Placement::Spill, Placement::StoreOnly].map(|placement| site.with_records().placement(placement).build().unwrap())
}

/// A browser whose handler has done this, some seconds ago.
fn after(site: &Site, manager: &SessionManager, handle: impl FnOnce(&Session)) -> Browser {
    let mut browser = site.browser();
    browser.visit(manager, handle);
    later(site);
    site.events.take();
    site.records.take_calls();
    browser
}

/// A browser of user 42, whose session is in its cookie.
fn inline(site: &Site, manager: &SessionManager) -> Browser {
    after(site, manager, |session| session.put("user", &42).unwrap())
}

/// A browser of user 42, whose session is in a record, because of its cart.
fn in_record(site: &Site, manager: &SessionManager) -> Browser {
    after(site, manager, |session| {
        session.put("user", &42).unwrap();
        session.put("cart", &text(LARGE)).unwrap();
    })
}

/// The same, and the response with which the session returned to its cookie was lost.
fn returned(site: &Site, manager: &SessionManager) -> Browser {
    let browser = in_record(site, manager);
    let lost = browser.begin(manager);
    returns(&lost.session());
    lost.commit();
    later(site);
    site.events.take();
    site.records.take_calls();
    browser
}

fn returns(session: &Session) {
    session.forget("cart").unwrap();
}

fn regenerates(session: &Session) {
    session.regenerate().unwrap();
}

fn destroys(session: &Session) {
    session.destroy().unwrap();
}

fn invalidates(session: &Session) {
    session.invalidate().unwrap();
}

/// An explicit end in each way that there is.
const ENDS: [fn(&Session); 3] = [destroys, invalidates, |session| {
    session.invalidate().unwrap();
    session.put("farewell", &1).unwrap();
}];

fn seconds_of(opened: &Opened) -> u64 {
    opened.expires().unix_seconds() - opened.issued().unix_seconds()
}

/// Whether a cookie of this response opens to data that must not travel.
fn shows_the_secret(site: &Site, manager: &SessionManager, commit: &Commit) -> bool {
    own_lines(commit).iter().any(|line| {
        let value = line.split_once('=').unwrap().1.split(';').next().unwrap();
        let opened = manager.sealer().open(value, site.now());
        opened.is_ok_and(|opened| opened.payload_json().is_some_and(|payload| payload.contains("SECRET")))
    })
}
