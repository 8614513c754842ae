//! What the browser finds behind a schedule: visits without faults, one after the other, while the store answers.

use sealed_session::testing::CookieJar;

use crate::api::{OK, Status};
use crate::operation::large;
use crate::schedule::{Request, Schedule};
use crate::site::COOKIE;
use crate::store::Records;
use crate::view::View;

/// What a visit saw, or the status of its error.
pub(crate) type Visit = Result<View, Status>;

/// Longer than a record that `regenerate` left can be read.
const SOON_SECONDS: u64 = 30;

/// Longer than any other grace.
const LATER_SECONDS: u64 = 1000;

#[derive(Debug)]
pub(crate) struct Aftermath {
    pub(crate) now: Visit,
    pub(crate) soon: Visit,
    /// A visit then that puts a large value and counts, and what one behind it sees.
    pub(crate) spill: Visit,
    pub(crate) spilled: Visit,
    /// A visit that takes the large value out again, and what one behind it sees.
    pub(crate) shrink: Visit,
    pub(crate) shrunk: Visit,
    /// Once more the large value.
    pub(crate) respill: Visit,
    pub(crate) respilled: Visit,
    /// In place of the visits above: one much later, which puts a large value and counts, and one behind it.
    pub(crate) later: Visit,
    pub(crate) later_spilled: Visit,
    /// What a copy of the cookies of the beginning shows, now and soon.
    pub(crate) copy_now: Visit,
    pub(crate) copy_soon: Visit,
    /// For each logout that failed: what a copy of the cookie that it came with shows now.
    pub(crate) own_copies: Vec<(usize, Visit)>,
    /// For each request that failed or was lost: how it went when the user tried it again, and what was seen then.
    pub(crate) retries: Vec<(usize, Status, Visit)>,
    /// The browser's last cookie, for a look into it.
    pub(crate) last_jar: CookieJar,
}

impl Aftermath {
    pub(crate) fn of(schedule: &Schedule<'_>) -> Self {
        let site = schedule.site;
        let records = site.store.snapshot();
        let now_seconds = sealed_session::Clock::now(&site.clock).unix_seconds();
        let again = |records: &Records| {
            site.store.restore(records);
            site.clock.set_unix_seconds(now_seconds);
        };

        let jar = &mut schedule.jar.clone();
        let now = site.read(jar);
        site.clock.advance_seconds(SOON_SECONDS);
        let soon = site.read(jar);
        let spill = site.visit(jar, put_late);
        let spilled = site.read(jar);
        let shrink = site.visit(jar, |session| {
            session.forget("late").unwrap();
        });
        let shrunk = site.read(jar);
        // Cookies are told apart by the second.
        site.clock.advance_seconds(1);
        let respill = site.visit(jar, put_late);
        let respilled = site.read(jar);
        let last_jar = jar.clone();

        again(&records);
        site.clock.advance_seconds(LATER_SECONDS);
        let jar = &mut schedule.jar.clone();
        let later = site.visit(jar, put_late);
        let later_spilled = site.read(jar);

        again(&records);
        let jar = &mut schedule.start.jar.clone();
        let copy_now = site.read(jar);
        site.clock.advance_seconds(SOON_SECONDS);
        let copy_soon = site.read(jar);

        let failed_logout = |request: &Request| request.operation.ends() && request.status != OK;
        let logouts = schedule.requests.iter().enumerate().filter(|(_, request)| failed_logout(request));
        let own_copies = logouts.filter_map(|(number, request)| {
            again(&records);
            let mut jar = CookieJar::new(site.clock.clone());
            jar.plant(COOKIE, request.cookie.as_deref()?);
            Some((number, site.read(&mut jar)))
        });
        let own_copies = own_copies.collect();

        let in_vain = |request: &Request| request.status != OK || request.is_lost;
        let failed = schedule.requests.iter().enumerate().filter(|(_, request)| in_vain(request));
        let retries = failed.map(|(number, request)| {
            again(&records);
            let jar = &mut schedule.jar.clone();
            if !request.operation.ends() {
                site.clock.advance_seconds(SOON_SECONDS);
            }
            let status = site.repeat(jar, request.operation, number);
            (number, status, site.read(jar))
        });
        let retries = retries.collect();
        Self {
            now,
            soon,
            spill,
            spilled,
            shrink,
            shrunk,
            respill,
            respilled,
            later,
            later_spilled,
            copy_now,
            copy_soon,
            own_copies,
            retries,
            last_jar,
        }
    }
}

fn put_late(session: &sealed_session::Session) {
    session.put("late", &large()).unwrap();
    session.increment("n", 1).unwrap();
}
