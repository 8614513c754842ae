//! How the time of a request grows: with the ring, with the other cookies of the request, and with what the session holds.
//!
//! Each figure is the fastest of many interleaved rounds on a processor. What is printed is Markdown.

use std::hint::black_box;

use sealed_session::{Key, KeyRing, Suite};
use sealed_session_benches::NAME;
use sealed_session_benches::machine::machine;
use sealed_session_benches::peers::{Cookies, Ours};
use sealed_session_benches::rounds::{Rounds, Work, is_test};
use sealed_session_benches::visit::{Received, Visit};

const BYTES: usize = 256;
const KEYS: [usize; 3] = [1, 10, 100];
const OTHERS: [usize; 6] = [100, 1024, 4096, 16 * 1024, 32 * 1024, 64 * 1024];
const PAYLOADS: [usize; 5] = [64, 256, 1024, 2048, 2900];

fn main() {
    println!("{}\n", machine());
    ring();
    header();
    payload();
    among_others();
    if is_test() {
        println!("Success: everything that grows ran once");
    }
}

fn key() -> Key {
    Key::generate_with(Suite::Xaes).expect("random bytes")
}

/// Cookies of the newest key and of the last in the ring.
fn ring() {
    let visit = Visit::of_bytes(BYTES);
    let managers = KEYS.map(|keys| {
        let last = key();
        let sealed_by_last = Received::with(&Ours::new(last.clone()).seal(&visit));
        let mut ring = KeyRing::new(if keys == 1 { last.clone() } else { key() });
        for more in 1..keys {
            let added = if more + 1 == keys { last.clone() } else { key() };
            ring = ring.with_open_only(added).expect("it is another one");
        }
        let ours = Ours::with_ring(ring);
        let sealed = Received::with(&ours.seal(&visit));
        let unknown = Received::with(&Ours::new(key()).seal(&visit));
        assert_eq!(ours.user(&sealed_by_last), Some(42));
        assert_eq!(ours.user(&unknown), None);
        (ours, sealed, sealed_by_last, unknown)
    });
    let mut works = Vec::<Work<'_>>::new();
    for (ours, sealed, sealed_by_last, unknown) in &managers {
        works.push(Box::new(|| drop(black_box(ours.seal(black_box(&visit))))));
        works.push(Box::new(|| {
            black_box(ours.user(black_box(sealed)));
        }));
        works.push(Box::new(|| {
            black_box(ours.user(black_box(sealed_by_last)));
        }));
        works.push(Box::new(|| {
            black_box(ours.user(black_box(unknown)));
        }));
    }
    let names = [
        "typed value → `Set-Cookie`",
        "open, one key read",
        "the same, sealed by the last key of the ring, and sealed again",
        "refused, of an unknown key",
    ];
    let mut taken = works_of(&mut works, names.len());
    // The last of one is the newest, and nothing is sealed again.
    taken[0][2] = f64::NAN;
    print("keys in the ring", &KEYS, &names, &taken, Shape::Flat);
}

/// Cookies of others before ours.
fn header() {
    let ours = Ours::new(key());
    let set_cookie = ours.seal(&Visit::of_bytes(BYTES));
    let requests = OTHERS.map(|bytes| {
        let mut others = String::new();
        for number in 0.. {
            let cookie = format!("other-{number:06}=abcdefghijklmnopqrstuvwxyz; ");
            if others.len() + cookie.len() > bytes {
                break;
            }
            others.push_str(&cookie);
        }
        others + set_cookie.split(';').next().expect("a pair")
    });
    let requests = requests.map(|line| Received { line, headers: http::HeaderMap::new() });
    let mut works = Vec::<Work<'_>>::new();
    for request in &requests {
        assert_eq!(ours.user(request), Some(42));
        works.push(Box::new(|| ours.never_asks(black_box(request))));
        works.push(Box::new(|| {
            black_box(ours.user(black_box(request)));
        }));
    }
    let names = ["never asks for its session", "open, one key read"];
    print("bytes of other cookies", &OTHERS, &names, &works_of(&mut works, names.len()), Shape::Linear);
}

fn payload() {
    let ours = Ours::new(key());
    let visits = PAYLOADS.map(Visit::of_bytes);
    let requests = visits.each_ref().map(|visit| Received::with(&ours.seal(visit)));
    let mut works = Vec::<Work<'_>>::new();
    for (visit, request) in visits.iter().zip(&requests) {
        works.push(Box::new(|| drop(black_box(ours.seal(black_box(visit))))));
        works.push(Box::new(|| drop(black_box(ours.open(black_box(request))))));
        works.push(Box::new(|| drop(black_box(ours.change(black_box(request))))));
    }
    let names = ["typed value → `Set-Cookie`", "header → typed value", "open, read one, change one, commit"];
    print("bytes of JSON", &PAYLOADS, &names, &works_of(&mut works, names.len()), Shape::Linear);
}

fn among_others() {
    let ours = Ours::new(key());
    let set_cookie = ours.seal(&Visit::of_bytes(BYTES));
    let pair = set_cookie.split(';').next().expect("a pair");
    let others: Vec<_> = (0..99).map(|number| format!("{NAME}{number}=abcdefgh")).collect();
    let among = |at: usize| {
        let mut cookies: Vec<_> = others.iter().map(String::as_str).collect();
        cookies.insert(at, pair);
        Received { line: cookies.join("; "), headers: http::HeaderMap::new() }
    };
    let requests = [
        ("alone", Received::with(&set_cookie)),
        ("first", among(0)),
        ("in the middle", among(50)),
        ("last", among(99)),
    ];
    let mut works = Vec::<Work<'_>>::new();
    for (_, request) in &requests {
        assert_eq!(ours.user(request), Some(42));
        works.push(Box::new(|| ours.never_asks(black_box(request))));
        works.push(Box::new(|| {
            black_box(ours.user(black_box(request)));
        }));
    }
    let taken = works_of(&mut works, 2);
    println!("### One request among 100 cookies: nanoseconds\n");
    println!("| our cookie | bytes of the header | never asks for its session | open, one key read |");
    println!("|---|---|---|---|");
    for ((place, request), taken) in requests.iter().zip(&taken) {
        println!("| {place} | {} | {:.0} | {:.0} |", request.line.len(), taken[0], taken[1]);
    }
    println!();
}

/// The figures of each size.
fn works_of(works: &mut [Work<'_>], for_each_size: usize) -> Vec<Vec<f64>> {
    Rounds::from_arguments().fastest(works).chunks(for_each_size).map(<[f64]>::to_vec).collect()
}

enum Shape {
    Flat,
    Linear,
}

fn print(what: &str, sizes: &[usize], names: &[&str], taken: &[Vec<f64>], shape: Shape) {
    println!("### By {what}: nanoseconds\n");
    let head: Vec<_> = sizes.iter().map(ToString::to_string).collect();
    println!("| work | {} | |", head.join(" | "));
    println!("|---{}", "|---".repeat(sizes.len() + 1) + "|");
    for (row, name) in names.iter().enumerate() {
        let row: Vec<_> = taken.iter().map(|size| size[row]).collect();
        let judged = match shape {
            Shape::Flat => flat(&row),
            Shape::Linear => linear(sizes, &row),
        };
        let cells: Vec<_> =
            row.iter().map(|cell| if cell.is_nan() { "–".to_owned() } else { format!("{cell:.0}") }).collect();
        println!("| {name} | {} | {judged} |", cells.join(" | "));
    }
    println!();
}

/// Flat is what differs by no more than a tenth, which is what such figures scatter on a shared machine.
fn flat(row: &[f64]) -> String {
    let (least, most) =
        row.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), cell| (least.min(*cell), most.max(*cell)));
    let word = if most / least <= 1.1 { "flat" } else { "**not flat**" };
    format!("{word}: the most is {:.2} times the least", most / least)
}

/// Linear is what costs no more for a byte at the end than it did on the way there.
fn linear(sizes: &[usize], row: &[f64]) -> String {
    let slope = |from: usize, to: usize| (row[to] - row[from]) / (sizes[to] - sizes[from]) as f64;
    let last = row.len() - 1;
    let (before, end) = (slope(0, last - 1), slope(last - 1, last));
    let word = if end <= before.max(0.0) * 1.3 { "linear" } else { "**not linear**" };
    format!("{word}: {before:.3} for each byte, {end:.3} for the last ones")
}
