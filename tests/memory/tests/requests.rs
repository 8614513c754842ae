//! What a request allocates, from its headers to its response.

use std::hint::black_box;

use sealed_session::cookie::CookieAttributes;
use sealed_session::{Commit, Key, PendingSession, RequestFacts, ResponseFacts, SessionManager};
use sealed_session_memory_tests::allocations;
use serde::Serialize;

const SIZES: [usize; 4] = [64, 256, 1024, 2900];

/// Allocations of each kind of request, for each size of JSON; exact, so that whoever changes them changes them here. The
/// goals: sealing 3 at most, one key 6 at most, a forgery none beyond those of a request that never asks, and that one 2 at
/// most, whatever the size.
const COUNTS: [(Kind, [usize; 4]); 4] =
    [(Kind::Seal, [10, 10, 11, 12]), (Kind::OneKey, [7; 4]), (Kind::Forged, [1; 4]), (Kind::NeverAsks, [2; 4])];

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// From a typed value to `Set-Cookie`.
    Seal,
    /// A session is opened, and one key of it read.
    OneKey,
    /// A cookie with a wrong tag is refused. Counted beyond what a request with the same cookie costs that never asks.
    Forged,
    /// A request with a good cookie whose handler never asks for its session.
    NeverAsks,
}

#[derive(Debug, Serialize)]
struct Visit {
    user: u64,
    role: &'static str,
    cart: Vec<Item>,
    note: String,
}

#[derive(Debug, Serialize)]
struct Item {
    sku: String,
    count: u32,
}

/// A value whose JSON has exactly so many bytes, a third of them in its list.
fn visit(bytes: usize) -> Visit {
    let item = |number: usize| Item { sku: format!("sku-{number:05}"), count: 2 };
    let mut visit = Visit { user: 42, role: "admin", cart: (0..bytes / 90).map(item).collect(), note: String::new() };
    visit.note = "a".repeat(bytes - serde_json::to_string(&visit).unwrap().len());
    visit
}

#[test]
fn a_request_allocates_as_much_as_the_table_says() {
    let manager =
        SessionManager::builder(Key::generate().unwrap()).cookie(CookieAttributes::new().name("s")).build().unwrap();
    let counted = COUNTS.map(|(kind, _)| (kind, SIZES.map(|bytes| count(&manager, kind, bytes))));
    let texts = [counted, COUNTS].map(|table| table.map(|(kind, counts)| format!("{kind:?} {counts:?}")));
    assert_eq!(texts[0], texts[1], "counted, and as in the table");
}

fn count(manager: &SessionManager, kind: Kind, bytes: usize) -> usize {
    let visit = visit(bytes);
    let good = header(&seal(manager, &visit));
    let forged = forge(&good);
    // A thread's first request may prepare something for all that follow.
    assert_eq!(user(manager, &good), Some(42));
    assert_eq!(user(manager, &forged), None);
    match kind {
        Kind::Seal => allocations(|| black_box(seal(manager, black_box(&visit)))).0,
        Kind::OneKey => allocations(|| user(manager, black_box(&good))).0,
        Kind::Forged => {
            let never_asked = allocations(|| commit(&begin(manager, black_box(&forged)))).0;
            allocations(|| user(manager, black_box(&forged))).0 - never_asked
        }
        Kind::NeverAsks => allocations(|| commit(&begin(manager, black_box(&good)))).0,
    }
}

fn begin(manager: &SessionManager, header: &str) -> PendingSession {
    manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()))
}

fn commit(pending: &PendingSession) -> Commit {
    pending.commit_now(&ResponseFacts::new(200)).unwrap()
}

fn seal(manager: &SessionManager, visit: &Visit) -> String {
    let pending = manager.begin(&RequestFacts::new());
    pending.session_now().unwrap().replace(visit).unwrap();
    commit(&pending).set_cookies.pop().unwrap()
}

fn user(manager: &SessionManager, header: &str) -> Option<u64> {
    let pending = begin(manager, header);
    let user = pending.session_now().unwrap().get("user").unwrap();
    drop(commit(&pending));
    user
}

/// Between two others.
fn header(set_cookie: &str) -> String {
    format!("theme=dark; {}; _ga=GA1.2.3", set_cookie.split(';').next().unwrap())
}

/// The first character of the ciphertext's second half is another one.
fn forge(header: &str) -> String {
    let at = header.len() / 2;
    let other = if header[at..].starts_with('A') { "B" } else { "A" };
    [&header[..at], other, &header[at + 1..]].concat()
}
