//! What can be written can be read back, and what cannot is refused at the call that writes it: by any call, under any name, and
//! of exactly the size of a limit.

use sealed_session::{Path, Placement, Session, SessionError};
use serde_json::{Value, json};

use super::draws::Draws;
use super::interrupted::Interrupted;
use super::{TEN_DAYS, inline, invalidates, later, regenerates};
use crate::support::{COOKIE, Handler, Site, ignore, text};

/// Names that mean something to a path, to the session, or to `serde_json`.
const NAMES: [&str; 10] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
    "",
    "~",
    "a.b",
    "0",
    "01",
    "-1",
    "\u{0}",
    "input",
];

/// Few levels, or about as many as can be read.
fn depth(draws: &mut Draws) -> usize {
    if draws.happens(50) { 1 + draws.below(5) } else { 120 + draws.below(8) }
}

fn path(draws: &mut Draws) -> Path {
    let segments: Vec<_> =
        (0..depth(draws)).map(|_| if draws.happens(70) { "a" } else { draws.one_of(&NAMES) }).collect();
    Path::from_segments(segments)
}

fn value(draws: &mut Draws) -> Value {
    let levels = depth(draws) - 1;
    (0..levels).fold(json!(1), |value, _| if draws.happens(50) { json!([value]) } else { json!({ "a": value }) })
}

/// Any call that writes.
fn writes(session: &Session, draws: &mut Draws) -> Result<(), SessionError> {
    let (at, value) = (path(draws), value(draws));
    match draws.below(9) {
        0 => session.put(at, &value),
        1 => session.push(at, &value),
        2 => session.increment(at, 1).map(drop),
        3 => session.merge(&json!({ "a": value })),
        4 => session.replace(&json!({ "a": value, "user": 42 })),
        5 => session.flash("a", &value),
        6 => session.flash_input(&json!({ "a": value })),
        7 => session.pull::<Value>(at).map(drop),
        _ => session.server_only("~"),
    }
}

#[test]
fn whatever_calls_a_request_makes_its_session_is_read_back() {
    let mut draws = Draws::of(77);
    for round in 0..150 {
        let site = Site::new();
        let placement = draws.one_of(&[Placement::Spill, Placement::StoreOnly]);
        let manager = site.with_records().placement(placement).build().unwrap();
        let mut browser = site.browser();
        let (written, _) = browser.visit(&manager, |session| {
            session.put("user", &42).unwrap();
            (0..=draws.below(4)).for_each(|_| ignore(writes(session, &mut draws)));
            session.all()
        });
        assert_eq!(browser.visit(&manager, Session::all).0, written, "{round}");
        browser.put(&manager, "more", 1);
        assert_eq!(browser.get(&manager, "more"), Some(1), "{round}");
    }
}

/// Payloads that a sealer may be asked to seal, whatever they are to a session.
fn payloads() -> Vec<Value> {
    let deep = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
    let around_the_limit = (110..140).flat_map(|levels| {
        let deep = deep(levels);
        [json!({ "a": deep }), json!({ "~": { "flash": { "a": deep } } }), json!({ "~": { "input": { "a": deep } } })]
    });
    let own_member = [
        json!(1),
        json!({}),
        json!({ "flash": 5 }),
        json!({ "flash": {} }),
        json!({ "flash": { "a": 1 } }),
        json!({ "server_only": 5 }),
        json!({ "input": 5 }),
        json!({ "errors": { "a": 5 } }),
        json!({ "unknown": 5 }),
    ];
    let members = [json!(1e308), json!(-0.0), json!(u64::MAX)].into_iter();
    let named = NAMES.iter().flat_map(|name| [json!({ *name: "5" }), json!({ "a": { *name: "5" } })]);
    let others = [json!({}), json!(null), json!([]), json!({ "~": { "server_only": ["secret"] }, "secret": "SECRET" })];
    let all = others.into_iter().chain(own_member.into_iter().map(|own| json!({ "~": own, "user": 1 })));
    all.chain(members.map(|member| json!({ "a": member }))).chain(named).chain(around_the_limit).collect()
}

fn shown(payload: &Value) -> String {
    payload.to_string().chars().take(90).collect()
}

#[test]
fn what_a_sealer_seals_is_a_session_that_can_be_written() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    for payload in payloads() {
        let Ok(sealed) = manager.sealer().seal(&payload, site.now()) else { continue };
        assert!(manager.sealer().open(&sealed, site.now()).is_ok(), "{}", shown(&payload));
        let mut browser = site.browser();
        browser.plant(COOKIE, &sealed);
        browser.visit(&manager, |session| {
            assert!(!session.is_new(), "{}", shown(&payload));
            session.put("more", &1).unwrap();
        });
        assert_eq!(browser.get(&manager, "more"), Some(1), "{}", shown(&payload));
    }
}

#[test]
fn a_sealer_seals_no_member_that_a_session_refuses_or_reads_as_another_value() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let mut refused = 0;
    for payload in payloads().iter().filter(|payload| payload.get("~").is_none() && payload.is_object()) {
        let written = site.browser().begin(&manager).session().merge(payload);
        let Ok(sealed) = manager.sealer().seal(payload, site.now()) else {
            refused += 1;
            continue;
        };
        assert!(written.is_ok(), "{}: {written:?}", shown(payload));
        let mut browser = site.browser();
        browser.plant(COOKIE, &sealed);
        let (all, _) = browser.visit(&manager, |session| Value::Object(session.all()));
        assert_eq!(all, *payload, "{}", shown(payload));
    }
    assert!(refused > 4, "the names of serde_json and values that are too deep");
}

#[test]
fn a_name_of_any_kind_in_a_form_or_its_errors_is_read_back_or_refused() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    type Write = fn(&Session, &Value, &str) -> Result<(), SessionError>;
    type Read = fn(&Session, Path) -> Option<String>;
    let input: Read = |session, at| session.old(at).ok().flatten();
    let calls: [(Write, Read); 4] = [
        (|session, form, _| session.flash_input(form), input),
        (|session, form, name| session.flash_only(form, &[name, "x"]), input),
        (|session, form, _| session.flash_except(form, &["other"]), input),
        (|session, form, _| session.flash_all(form), |session, at| session.flash_messages().get(at).ok().flatten()),
    ];
    for name in NAMES {
        let forms = [(json!({ name: "5" }), vec![name]), (json!({ "x": { name: "5" } }), vec!["x", name])];
        for ((form, at), (write, read)) in forms.iter().flat_map(|form| calls.map(|call| (form, call))) {
            let mut browser = inline(&site, &manager);
            let (written, _) = browser.visit(&manager, |session| write(session, form, name));
            let (found, _) = browser.visit(&manager, |session| read(session, Path::from_segments(at.clone())));
            assert_eq!(found.as_deref(), written.is_ok().then_some("5"), "{name:?}");
            assert_eq!(browser.get(&manager, "user"), Some(42), "{name:?}");
        }
        let mut browser = inline(&site, &manager);
        let (written, _) = browser.visit(&manager, |session| session.flash_errors(&json!({ name: ["5"] })));
        let (found, _) = browser.visit(&manager, |session| session.errors(name));
        assert_eq!(found.len(), usize::from(written.is_ok()), "{name:?}");
    }
}

/// What the next request does with a session that just fits.
const THENS: [Handler; 8] = [
    |_| (),
    |session| session.remember(TEN_DAYS).unwrap(),
    |session| session.end_with_browser().unwrap(),
    |session| session.flash("a", "b").unwrap(),
    |session| session.flash_input(&json!({ "a": text(20) })).unwrap(),
    regenerates,
    |session| ignore(session.increment("n", 1)),
    |session| ignore(session.pull::<u64>("user").unwrap()),
];

#[test]
fn a_session_about_as_large_as_a_limit_is_kept_whatever_comes_next() {
    const RECORD_LIMIT: usize = 5000;
    let size_of = |session: &Session| session.get::<String>("x").unwrap().map(|x| x.len());
    // Around the limit of a cookie, and around that of a record.
    let sizes = (2080..2260).step_by(30).chain((RECORD_LIMIT - 100..=RECORD_LIMIT).step_by(20));
    for placement in [Placement::CookieOnly, Placement::Spill, Placement::StoreOnly] {
        for (size, then) in sizes.clone().flat_map(|size| THENS.map(|then| (size, then))) {
            let site = Site::new();
            let builder = site.with_records().placement(placement).record_limit_bytes(RECORD_LIMIT);
            let manager = builder.timer(Interrupted::new(&site)).build().unwrap();
            let mut browser = site.browser();
            let request = browser.begin(&manager);
            request.session().put("user", &42).unwrap();
            request.session().put("x", &text(size)).unwrap();
            match request.try_commit() {
                Ok(response) => browser.receive(&response),
                Err(failed) => {
                    assert!(size > RECORD_LIMIT - 100 || placement == Placement::CookieOnly, "{size}: {failed}");
                    continue;
                }
            }
            later(&site);
            let request = browser.begin(&manager);
            assert_eq!(size_of(&request.session()), Some(size));
            then(&request.session());
            if let Ok(response) = request.try_commit() {
                browser.receive(&response);
            }
            later(&site);
            assert_eq!(browser.visit(&manager, size_of).0, Some(size), "{placement:?}, {size}");
            // However large it is, a logout and its farewell fit.
            browser.visit(&manager, |session| {
                invalidates(session);
                session.flash("notice", "bye").unwrap();
            });
            assert_eq!(browser.visit(&manager, size_of).0, None);
        }
    }
}
