use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::person::Person;
use crate::{Page, wait_until};

/// People who log in, look around for a while, log out, and begin again; each checks every page.
#[derive(Debug)]
pub struct Crowd {
    people: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    has_ended: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The key that every page begun from now on is to leave its cookie under.
    required_key: Option<String>,
    footprints: BTreeMap<String, Footprint>,
    problems: Vec<String>,
}

/// What one of the crowd did.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// Pages, each of which was as it should be.
    pub pages: usize,
    /// Logins.
    pub logins: usize,
    /// The servers that gave the pages.
    pub servers: BTreeSet<usize>,
    /// The keys that the session's cookie was under.
    pub keys: BTreeSet<String>,
}

impl Crowd {
    /// So many people come to the shop on this port. Each stays logged in for `visit` at most, and rests for `pause` between
    /// two pages.
    #[must_use]
    pub fn start(people: u32, port: u16, visit: Duration, pause: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let come = |number: u32| {
            let shared = Arc::clone(&shared);
            let name = format!("Person {number}");
            shared.seen().footprints.insert(name.clone(), Footprint::default());
            // Not all at once, and not all for the same time.
            let (late, visit) = (pause * number / people, visit * (people + number) / (2 * people));
            thread::spawn(move || {
                thread::sleep(late);
                if let Err(problem) = live(&name, port, visit, pause, &shared) {
                    shared.seen().problems.push(problem);
                }
            })
        };
        let people = (0..people).map(come).collect();
        Self { people, shared }
    }

    /// From now on, every page is to leave its cookie under the key of this id.
    pub fn require_key(&self, id: &str) {
        self.shared.seen().required_key = Some(id.to_owned());
    }

    /// From now on, either key of a rotation will do.
    pub fn allow_any_key(&self) {
        self.shared.seen().required_key = None;
    }

    /// Waits until everybody has opened so many pages more.
    pub fn go_on_for(&self, pages: usize) {
        let goals: Vec<_> = self.footprints().iter().map(|footprint| footprint.pages + pages).collect();
        wait_until("the crowd goes on", Duration::from_secs(60), || {
            self.check();
            self.footprints().iter().zip(&goals).all(|(footprint, goal)| footprint.pages >= *goal)
        });
    }

    /// Sends everybody home, and tells what they did.
    #[must_use]
    pub fn end(mut self) -> Vec<Footprint> {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        for person in self.people.drain(..) {
            person.join().expect("nobody panics");
        }
        self.check();
        self.footprints()
    }

    fn footprints(&self) -> Vec<Footprint> {
        self.shared.seen().footprints.values().cloned().collect()
    }

    /// Fails when somebody has found a problem.
    fn check(&self) {
        let seen = self.shared.seen();
        assert!(seen.problems.is_empty(), "the crowd found problems: {:#?}", seen.problems);
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }
}

/// One person, from the first login to the end.
fn live(name: &str, port: u16, visit: Duration, pause: Duration, shared: &Shared) -> Result<(), String> {
    let mut person = None;
    while !shared.has_ended() {
        match &mut person {
            None => person = Some(Person::log_in(name, port)?),
            Some(person) => person.log_in_again()?,
        }
        let person = person.as_mut().expect("has just logged in");
        shared.seen().footprints.entry(name.to_owned()).or_default().logins += 1;
        let end = Instant::now() + visit;
        for turn in 0_u32.. {
            if Instant::now() >= end || shared.has_ended() {
                break;
            }
            let required = shared.seen().required_key.clone();
            let page = match turn % 3 {
                0 => person.open_home()?,
                1 => person.open_profile()?,
                _ => person.shop()?,
            };
            note(name, &page, person, required, shared)?;
            thread::sleep(pause);
        }
        person.log_out()?;
    }
    Ok(())
}

fn note(name: &str, page: &Page, person: &Person, required: Option<String>, shared: &Shared) -> Result<(), String> {
    let key = person.site().key_id().ok_or_else(|| format!("{name} has no cookie"))?;
    if let Some(required) = required.filter(|required| *required != key) {
        return Err(format!("{name}, by server {:?}: the cookie is under {key} and not {required}", page.served_by));
    }
    let mut seen = shared.seen();
    let footprint = seen.footprints.entry(name.to_owned()).or_default();
    footprint.pages += 1;
    footprint.servers.extend(page.served_by);
    footprint.keys.insert(key);
    Ok(())
}
