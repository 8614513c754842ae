//! Promise 11, in every place where a session can be: what a call takes is what the next request reads, and goes on from; what
//! could not be read back is refused by the call, and takes nothing along. No schedule of calls bears on it, so the steps of a
//! request stand in one order here, and what is written is all there is to choose.

use std::collections::BTreeMap;

use sealed_session::json::Value;
use sealed_session::testing::CookieJar;
use sealed_session::{Path, Placement, Session, SessionError};
use serde::Serialize;

use crate::api::{self, OK};
use crate::operation::large;
use crate::site::{Contents, Origin, Site, Start, at_once};

const PLACES: [(Placement, Origin); 9] = [
    (Placement::Spill, Origin::Blank),
    (Placement::Spill, Origin::Inline),
    (Placement::Spill, Origin::Stored),
    (Placement::Spill, Origin::Returned),
    (Placement::Spill, Origin::ReturnedDelivered),
    (Placement::StoreOnly, Origin::Blank),
    (Placement::StoreOnly, Origin::Stored),
    (Placement::CookieOnly, Origin::Blank),
    (Placement::CookieOnly, Origin::Inline),
];

/// Around the most that a call takes, at a path of a hundred segments and elsewhere.
const DEPTHS: [std::ops::RangeInclusive<usize>; 2] = [18..=30, 120..=130];

/// What is nested this deep is refused wherever it stands: its reader takes 127 levels.
const TOO_DEEP: usize = 127;

/// Of a path of a hundred segments, a value less deep than this fits every reader.
const DEEP_ENOUGH: usize = 20;

type Write = fn(&Session, &Given) -> Result<(), SessionError>;
type Read = fn(&Session) -> Option<Value>;

struct Call {
    name: &'static str,
    write: Write,
    read: Read,
    /// It depends on all that is there, and another request's write in between is a conflict.
    is_exclusive: bool,
}

const fn call(name: &'static str, write: Write, read: Read) -> Call {
    Call { name, write, read, is_exclusive: false }
}

const CALLS: [Call; 13] = [
    call("put", |session, given| session.put("k", given), |session| session.get("k").unwrap()),
    call("put at a path", |session, given| session.put("k.a.b", given), |session| session.get("k.a.b").unwrap()),
    call("put at a long path", |session, given| session.put(long(), given), |session| session.get(long()).unwrap()),
    call(
        "put into an array",
        |session, given| session.put("k", &[0]).and_then(|()| session.put("k.0", given)),
        |session| session.get("k.0").unwrap(),
    ),
    call("push", |session, given| session.push("k", given), |session| session.get("k.0").unwrap()),
    call("merge", |session, given| session.merge(&form(given)), |session| session.get("k").unwrap()),
    Call {
        is_exclusive: true,
        ..call("replace", |session, given| session.replace(&form(given)), |session| session.get("k").unwrap())
    },
    call("flash", |session, given| session.flash("k", given), message),
    call("flash_all", |session, given| session.flash_all(&form(given)), message),
    call("flash_input", |session, given| session.flash_input(&form(given)), typed),
    call("flash_only", |session, given| session.flash_only(&form(given), &["k"]), typed),
    call("flash_except", |session, given| session.flash_except(&form(given), &["a"]), typed),
    call("flash, twice", |session, given| session.flash("other", &1).and_then(|()| session.flash("k", given)), message),
];

/// What else the request does, or another one meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meets {
    Nothing,
    /// It saves what it wrote, and writes something else.
    Save,
    /// Another request's write, so that the operations are made again.
    Write,
    /// It gives the session a new id.
    Login,
    /// It needs a record.
    Spill,
}

const MEETS: [Meets; 5] = [Meets::Nothing, Meets::Save, Meets::Write, Meets::Login, Meets::Spill];

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for whoever runs it with --nocapture")]
fn what_a_call_takes_is_read_back_in_every_place() {
    let (mut count, mut broken) = (0, Vec::new());
    let given: Vec<_> = DEPTHS
        .into_iter()
        .flatten()
        .map(|depth| Given::Nested(nested(depth), depth))
        .chain([Given::Twins, Given::DeepTwins])
        .collect();
    for (placement, origin) in PLACES {
        let site = Site::new(placement);
        let start = site.start(origin, Contents::Full, false);
        for call in &CALLS {
            for given in &given {
                for meets in MEETS {
                    if meets == Meets::Spill && placement == Placement::CookieOnly {
                        continue;
                    }
                    count += 1;
                    if let Err(problem) = check(&site, &start, call, given, meets) {
                        broken.push(format!(
                            "{placement:?} {origin:?}, {} of {given:?}, {meets:?}: {problem}",
                            call.name
                        ));
                    }
                }
            }
        }
    }
    println!("read back: {count} cases, promise 11 broken in {}", broken.len());
    broken.iter().take(10).for_each(|problem| println!("  {problem}"));
    assert!(broken.is_empty(), "promise 11: broken in {} of {count}", broken.len());
}

fn check(site: &Site, start: &Start, call: &Call, given: &Given, meets: Meets) -> Result<(), String> {
    site.clock.set_unix_seconds(start.now);
    site.store.restore(&start.records);
    let mut jar = start.jar.clone();
    let pending = site.begin(&jar);
    let session = at_once(api::load(&pending)).unwrap();
    if meets == Meets::Login {
        session.regenerate().unwrap();
    }
    let written = (call.write)(&session, given);
    if written.is_ok() != given.may_be_taken() && !given.is_between() {
        return Err(format!("the call said {written:?}"));
    }
    match meets {
        Meets::Save => {
            at_once(api::save(&session)).map_err(|status| format!("the save got {status}"))?;
            session.put("then", &1).unwrap();
        }
        Meets::Write => site.visit(&mut jar, |other| other.put("n", &1).unwrap()).map(drop).unwrap(),
        Meets::Spill => session.put("late", &large()).unwrap(),
        Meets::Nothing | Meets::Login => {}
    }
    let (status, lines) = at_once(api::commit(&pending, OK));
    let is_conflict = status == 409 && meets == Meets::Write && call.is_exclusive;
    if status != OK && !is_conflict {
        return Err(format!("the commit got {status}"));
    }
    lines.iter().for_each(|line| jar.receive(line));
    let taken = written.is_ok() && !is_conflict;
    site.clock.advance_seconds(1);
    read_back(site, &mut jar, start, call, given, taken)
}

/// The next request reads it, and those behind it go on.
fn read_back(
    site: &Site,
    jar: &mut CookieJar,
    start: &Start,
    call: &Call,
    given: &Given,
    taken: bool,
) -> Result<(), String> {
    let pending = site.begin(jar);
    let session = at_once(api::load(&pending)).map_err(|status| format!("the next request got {status}"))?;
    if session.is_new() && (taken || start.origin != Origin::Blank) {
        return Err("the session is gone".to_owned());
    }
    if !taken && start.origin != Origin::Blank && !session.has("data").unwrap() {
        return Err("what was there is gone".to_owned());
    }
    if let (true, Given::Nested(value, _)) = (taken, given)
        && (call.read)(&session).as_ref() != Some(value)
    {
        return Err("the next request reads something else".to_owned());
    }
    session.reflash().unwrap();
    session.put("late", &1).unwrap();
    let (status, lines) = at_once(api::commit(&pending, OK));
    if status != OK {
        return Err(format!("the commit behind it got {status}"));
    }
    lines.iter().for_each(|line| jar.receive(line));
    let pending = site.begin(jar);
    let session = at_once(api::load(&pending)).map_err(|status| format!("a later request got {status}"))?;
    if let (true, Given::Nested(value, _)) = (taken, given)
        && (call.read)(&session).as_ref() != Some(value)
    {
        return Err("a later request reads something else".to_owned());
    }
    if session.get("late").unwrap() == Some(1) {
        Ok(())
    } else {
        Err("a later request does not find the session".to_owned())
    }
}

/// What a call is given.
enum Given {
    Nested(Value, usize),
    /// Two members of one name, which a derived implementation of `Serialize` writes without a word.
    Twins,
    DeepTwins,
}

impl Given {
    const fn may_be_taken(&self) -> bool {
        matches!(self, Self::Nested(_, depth) if *depth < TOO_DEEP)
    }

    /// Whether it depends on where it goes if it can be taken.
    const fn is_between(&self) -> bool {
        matches!(self, Self::Nested(_, DEEP_ENOUGH..TOO_DEEP))
    }
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nested(_, depth) => write!(f, "{depth} levels"),
            Self::Twins => f.write_str("two members of one name"),
            Self::DeepTwins => f.write_str("the same, below an array"),
        }
    }
}

impl Serialize for Given {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nested(value, _) => value.serialize(serializer),
            Self::Twins => Twins::new().serialize(serializer),
            Self::DeepTwins => [[Twins::new()]].serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Twins {
    role: &'static str,
    #[serde(flatten)]
    extra: BTreeMap<&'static str, &'static str>,
}

impl Twins {
    fn new() -> Self {
        Self { role: "user", extra: BTreeMap::from([("role", "admin")]) }
    }
}

/// An object with the value at `k`.
#[derive(Serialize)]
struct Form<'a> {
    a: u8,
    k: &'a Given,
}

const fn form(k: &Given) -> Form<'_> {
    Form { a: 1, k }
}

/// So many arrays inside one another.
fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::from(1), |inner, _| Value::Array(vec![inner]))
}

fn long() -> Path {
    Path::from_segments(vec!["k"; 100])
}

fn message(session: &Session) -> Option<Value> {
    session.flash_messages().get("k").unwrap()
}

fn typed(session: &Session) -> Option<Value> {
    session.old("k").unwrap()
}
