//! A session's whole way beside the simplest peer: the private jar of `cookie`, encoded, with the same typed value.
//!
//! The rounds of all rows are interleaved, and each cell is the fastest of them on a processor: on a shared machine medians
//! move by half, and minima by a few per cent.

use std::hint::black_box;
use std::time::Duration;

use cookie::{Cookie, CookieJar};
use sealed_session::cookie::CookieAttributes;
use sealed_session::{Key, ManualClock, RequestFacts, ResponseFacts, SessionManager, Suite};
use sealed_session_benches::stopwatch::Stopwatch;
use sealed_session_benches::{NAME, NOW, with_another_tag};
use serde::{Deserialize, Serialize};

const SIZES: [usize; 4] = [64, 256, 1024, 2900];

/// What an application keeps, as one type.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Visit {
    user: u64,
    role: String,
    cart: Vec<Item>,
    note: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Item {
    sku: String,
    count: u32,
}

/// A visit whose JSON has exactly so many bytes, a third of them in its cart.
fn visit(bytes: usize) -> Visit {
    let item = |number: usize| Item { sku: format!("sku-{number:05}"), count: 2 };
    let cart = (0..bytes / 90).map(item).collect();
    let mut visit = Visit { user: 42, role: "admin".to_owned(), cart, note: String::new() };
    let length = serde_json::to_string(&visit).expect("it is JSON").len();
    visit.note = "a".repeat(bytes.checked_sub(length).expect("there is room"));
    visit
}

/// One row of the table: what is done once.
type Work<'w> = Box<dyn FnMut() + 'w>;

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--only").skip(1);
    if let (Some(row), Some(bytes), Some(times)) = (arguments.next(), arguments.next(), arguments.next()) {
        let number = |text: String| text.parse().expect("a number");
        return table(Suite::Xaes, number(bytes), Run::Only { row, times: number(times) });
    }
    let is_test = std::env::args().any(|argument| argument == "--test");
    let (rounds, nanoseconds) = if is_test { (1, 1) } else { (60, 1_500_000) };
    for suite in [Suite::Xaes, Suite::XChaCha] {
        for bytes in SIZES {
            table(suite, bytes, Run::All { rounds, nanoseconds });
        }
    }
}

/// What is run of the table.
enum Run {
    /// Every row, in so many rounds of so long.
    All { rounds: u32, nanoseconds: u32 },
    /// One row of ours, so many times: for counting its instructions.
    ///
    /// ```text
    /// valgrind --tool=callgrind target/release/deps/peers-… --only 'open, one key read' 256 1000
    /// ```
    Only { row: String, times: usize },
}

fn table(suite: Suite, bytes: usize, run: Run) {
    let manager = SessionManager::builder(Key::generate_with(suite).expect("random bytes"))
        .audience("example-app/bench")
        .cookie(CookieAttributes::new().name(NAME))
        .clock(ManualClock::at_unix_seconds(NOW.unix_seconds()))
        .build()
        .expect("the settings are good");
    let key = cookie::Key::generate();
    let typed = visit(bytes);

    let seal_ours = || {
        let pending = manager.begin(&RequestFacts::new());
        pending.session_now().expect("no store").replace(black_box(&typed)).expect("it is an object");
        pending.commit_now(&ResponseFacts::new(200)).expect("it fits").set_cookies.remove(0)
    };
    let seal_theirs = || {
        let mut jar = CookieJar::new();
        let text = serde_json::to_string(black_box(&typed)).expect("it is JSON");
        let cookie = Cookie::build((NAME, text))
            .path("/")
            .secure(true)
            .http_only(true)
            .max_age(cookie::time::Duration::hours(2));
        jar.private_mut(&key).add(cookie.build());
        jar.delta().next().expect("it was added").encoded().to_string()
    };
    let header = |line: &str| format!("theme=dark; {}; _ga=GA1.2.3", line.split(';').next().expect("a pair"));
    let (ours, theirs) = (header(&seal_ours()), header(&seal_theirs()));
    let forged = |header: &str| {
        let (before, rest) = header.split_once("; s=").expect("our cookie");
        let (value, after) = rest.split_once("; ").expect("another one");
        format!("{before}; s={}; {after}", with_another_tag(value))
    };
    let (forged_ours, forged_theirs) = (forged(&ours), forged(&theirs.replace("%3D", "=")));
    let begin = |header: &str| {
        manager.begin(&RequestFacts::new().cookie_header(black_box(header).as_bytes()).sec_fetch_dest(b"document"))
    };
    let jar = |header: &str| {
        let mut jar = CookieJar::new();
        for cookie in Cookie::split_parse_encoded(black_box(header).to_owned()).flatten() {
            jar.add_original(cookie);
        }
        jar
    };
    let open_theirs = |header: &str| -> Option<Visit> {
        let jar = jar(header);
        serde_json::from_str(jar.private(&key).get(NAME)?.value()).ok()
    };
    assert_eq!(begin(&ours).session_now().expect("no store").read::<Visit>().expect("it was put"), typed);
    assert_eq!(open_theirs(&theirs), Some(typed.clone()));
    assert!(begin(&forged_ours).session_now().expect("no store").is_new());
    assert_eq!(open_theirs(&forged_theirs), None);

    let mut rows: [(&str, [Work<'_>; 2]); 6] = [
        (
            "typed value to Set-Cookie",
            [Box::new(|| drop(black_box(seal_ours()))), Box::new(|| drop(black_box(seal_theirs())))],
        ),
        (
            "header to typed value",
            [
                Box::new(|| {
                    let pending = begin(&ours);
                    let visit: Visit = pending.session_now().expect("no store").read().expect("it was put");
                    black_box(&visit);
                    drop(pending.commit_now(&ResponseFacts::new(200)).expect("no store"));
                }),
                Box::new(|| drop(black_box(open_theirs(&theirs)))),
            ],
        ),
        (
            "open, one key read",
            [
                Box::new(|| {
                    let pending = begin(&ours);
                    assert_eq!(pending.session_now().expect("no store").get("user").expect("a number"), Some(42));
                    drop(pending.commit_now(&ResponseFacts::new(200)).expect("no store"));
                }),
                Box::new(|| assert_eq!(open_theirs(&theirs).expect("it is good").user, 42)),
            ],
        ),
        (
            "open, read one, change one, commit",
            [
                Box::new(|| {
                    let pending = begin(&ours);
                    let session = pending.session_now().expect("no store");
                    let user: u64 = session.get("user").expect("a number").expect("there");
                    session.put("user", &(user + 1)).expect("it fits");
                    drop(black_box(pending.commit_now(&ResponseFacts::new(200)).expect("no store")));
                }),
                Box::new(|| {
                    let mut jar = jar(&theirs);
                    let mut visit: Visit =
                        serde_json::from_str(jar.private(&key).get(NAME).expect("good").value()).expect("it is JSON");
                    visit.user += 1;
                    let text = serde_json::to_string(&visit).expect("it is JSON");
                    let cookie = Cookie::build((NAME, text)).path("/").secure(true).http_only(true);
                    jar.private_mut(&key).add(cookie.max_age(cookie::time::Duration::hours(2)).build());
                    drop(black_box(jar.delta().next().expect("it was added").encoded().to_string()));
                }),
            ],
        ),
        (
            "forged, whole request",
            [
                Box::new(|| {
                    let pending = begin(&forged_ours);
                    assert_eq!(pending.session_now().expect("no store").get::<u64>("user").expect("no error"), None);
                    drop(pending.commit_now(&ResponseFacts::new(200)).expect("no store"));
                }),
                Box::new(|| assert_eq!(open_theirs(&forged_theirs), None)),
            ],
        ),
        (
            "never asks",
            [
                Box::new(|| drop(black_box(begin(&ours).commit_now(&ResponseFacts::new(200)).expect("no store")))),
                Box::new(|| ()),
            ],
        ),
    ];
    let (rounds, nanoseconds) = match run {
        Run::All { rounds, nanoseconds } => (rounds, nanoseconds),
        Run::Only { row, times } => {
            let (_, [ours, _]) = rows.iter_mut().find(|(name, _)| *name == row).expect("a row of this name");
            return (0..times).for_each(|_| ours());
        }
    };
    let mut fastest = [[f64::MAX; 2]; 6];
    let mut times = [[1_u32; 2]; 6];
    for round in 0..=rounds {
        for ((row, fastest), times) in rows.iter_mut().zip(&mut fastest).zip(&mut times) {
            for ((work, fastest), times) in row.1.iter_mut().zip(fastest).zip(times) {
                let stopwatch = Stopwatch::start();
                (0..*times).for_each(|_| work());
                let took = stopwatch.took().on_processor.unwrap_or_else(|| stopwatch.took().elapsed);
                if round == 0 {
                    // As many as fill a round.
                    *times = (Duration::from_nanos(nanoseconds.into()).as_nanos() / took.as_nanos().max(200))
                        .clamp(1, 100_000) as u32;
                } else {
                    *fastest = fastest.min(took.as_nanos() as f64 / f64::from(*times));
                }
            }
        }
    }
    for ((name, _), [ours, theirs]) in rows.iter().zip(fastest) {
        println!("{suite:7} {bytes:5} {name:36} {ours:9.0} ns {theirs:9.0} ns {:6.2}", theirs / ours);
    }
}
