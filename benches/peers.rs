//! A session's whole way, ours and the others', in one process.
//!
//! The rounds of all cells are interleaved, and each cell is the fastest of them on a processor. What is printed is
//! Markdown, for the page of the guide.
//!
//! - `--plot FILE` draws the suite `xaes`.
//! - `--only ROW BYTES TIMES` runs one row of ours alone, so many times: for counting its instructions.

use std::hint::black_box;

use sealed_session::{Key, Suite};
use sealed_session_benches::machine::machine;
use sealed_session_benches::peers::{ActixSession, AxumExtra, Cookies, Jar, Jwe, Ours, Paseto, Straight};
use sealed_session_benches::plot::{Line, Panel, svg};
use sealed_session_benches::rounds::{Rounds, Work, is_test, option};
use sealed_session_benches::visit::{Received, Visit};

const SIZES: [usize; 4] = [64, 256, 1024, 2900];

const SUITES: [Suite; 2] = [Suite::Xaes, Suite::XChaCha];

const SEAL: usize = 0;
const OPEN: usize = 1;
const CHANGE: usize = 3;
const NEVER: usize = 5;
const ROWS: [&str; 6] = [
    "typed value → `Set-Cookie`",
    "header → typed value",
    "open, one key read",
    "open, read one, change one, commit",
    "forged, whole request",
    "never asks for its session",
];

const OURS: usize = 0;
const STRAIGHT: usize = 1;
const JAR: usize = 2;
const COLUMNS: usize = 7;

/// Nanoseconds of a cell; not a number where there is none.
type Table = [[f64; COLUMNS]; 6];

/// Good bytes of a key, always the same: random ones would change what is counted.
const SECRET: [u8; 32] = [
    0x7a, 0x13, 0xc4, 0x5e, 0x90, 0x2b, 0xd8, 0x66, 0x01, 0xf3, 0x4c, 0xa9, 0x37, 0xe2, 0x8d, 0x50, 0xbb, 0x0e, 0x71,
    0xc8, 0x25, 0x9a, 0x64, 0xdf, 0x18, 0x83, 0xf6, 0x4b, 0xae, 0x3d, 0x57, 0x02,
];

fn main() {
    if let Some(row) = option("--only") {
        let mut numbers = std::env::args().skip_while(|argument| *argument != row).skip(1);
        let mut number = || numbers.next().and_then(|text| text.parse().ok()).expect("--only ROW BYTES TIMES");
        let (bytes, times) = (number(), number());
        return only(&row, bytes, times);
    }
    println!("{}\n", machine());
    let [xaes, xchacha] = measure();
    print(Suite::Xaes, &xaes);
    print(Suite::XChaCha, &xchacha);
    goals(&xaes, &xchacha);
    if let Some(file) = option("--plot") {
        std::fs::write(&file, plot(&xaes)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    if is_test() {
        assert!(plot(&xaes).lines().all(|line| !line.trim().is_empty()));
        println!("Success: every cell ran once");
    }
}

fn ours(suite: Suite) -> Ours {
    Ours::new(Key::from_bytes(suite, &SECRET).expect("it looks random"))
}

fn only(row: &str, bytes: usize, times: usize) {
    let ours = ours(Suite::Xaes);
    let visit = Visit::of_bytes(bytes);
    // Always the same: how far a scan of the header goes depends on the characters in it.
    let set_cookie = Straight::new(&SECRET).seal_drawn(&visit, &[0x5a; 40]);
    let (good, forged) = (Received::with(&set_cookie), Received::forged(&set_cookie));
    let row =
        ROWS.iter().position(|name| *name == row).unwrap_or_else(|| panic!("no such row: {row}; there are {ROWS:?}"));
    let mut work =
        work(row, &ours, &visit, &good, &forged).unwrap_or_else(|| Box::new(|| ours.never_asks(black_box(&good))));
    (0..times).for_each(|_| work());
}

/// What a row does with this peer.
fn work<'w>(
    row: usize,
    peer: &'w dyn Cookies,
    visit: &'w Visit,
    good: &'w Received,
    forged: &'w Received,
) -> Option<Work<'w>> {
    Some(match row {
        SEAL => Box::new(|| drop(black_box(peer.seal(black_box(visit))))),
        OPEN => Box::new(|| drop(black_box(peer.open(black_box(good))))),
        2 => Box::new(|| assert_eq!(peer.user(black_box(good)), Some(42))),
        CHANGE => Box::new(|| drop(black_box(peer.change(black_box(good))))),
        4 => Box::new(|| assert_eq!(peer.user(black_box(forged)), None)),
        _ => return None,
    })
}

/// The tables of both suites, measured together.
fn measure() -> [[Table; 4]; 2] {
    let setups: Vec<_> = (0..2).flat_map(|suite| (0..4).map(move |size| Setup::new(suite, size))).collect();
    let mut places = Vec::new();
    let mut works = Vec::new();
    for setup in &setups {
        let ours = &setup.ours;
        for row in 0..ROWS.len() {
            for (column, (peer, [good, forged])) in setup.peers.iter().zip(&setup.requests).enumerate() {
                if column == STRAIGHT && (!setup.has_straight() || row > OPEN) {
                    continue;
                }
                if let Some(work) = work(row, &**peer, &setup.visit, good, forged) {
                    places.push((setup.suite, setup.size, row, column));
                    works.push(work);
                }
            }
        }
        places.push((setup.suite, setup.size, NEVER, OURS));
        works.push(Box::new(|| ours.never_asks(black_box(&setup.requests[OURS][0]))));
    }
    let mut tables = [[[[f64::NAN; COLUMNS]; 6]; 4]; 2];
    for ((suite, size, row, column), nanoseconds) in
        places.into_iter().zip(Rounds::from_arguments().fastest(&mut works))
    {
        tables[suite][size][row][column] = nanoseconds;
    }
    tables
}

fn print(suite: Suite, tables: &[Table; 4]) {
    println!("### Suite `{}`: nanoseconds (times the time of ours)\n", suite.name());
    println!("| JSON bytes | work | {} |", names().join(" | "));
    println!("|---|---|{}", "---|".repeat(COLUMNS));
    for (row, name) in ROWS.iter().enumerate() {
        for (bytes, table) in SIZES.iter().zip(tables) {
            let ours = table[row][OURS];
            let cells = table[row].iter().enumerate().map(|(column, cell)| match column {
                _ if cell.is_nan() => "–".to_owned(),
                OURS => format!("**{cell:.0}**"),
                _ => format!("{cell:.0} ({:.2})", cell / ours),
            });
            println!("| {bytes} | {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
    println!();
}

/// Everybody with a session of one size.
struct Setup {
    suite: usize,
    size: usize,
    ours: Ours,
    peers: [Box<dyn Cookies>; COLUMNS],
    visit: Visit,
    /// For each peer, with its good cookie and with a forged one.
    requests: Vec<[Received; 2]>,
}

impl Setup {
    fn new(suite: usize, size: usize) -> Self {
        let visit = Visit::of_bytes(SIZES[size]);
        let peers = peers(SUITES[suite]);
        let requests = peers.iter().map(|peer| {
            let set_cookie = peer.seal(&visit);
            [Received::with(&set_cookie), Received::forged(&set_cookie)]
        });
        let requests = requests.collect();
        let setup = Self { suite, size, ours: ours(SUITES[suite]), peers, visit, requests };
        setup.check();
        setup
    }

    fn has_straight(&self) -> bool {
        SUITES[self.suite] == Suite::Xaes
    }

    fn check(&self) {
        let visit = Some(&self.visit);
        for (peer, [good, forged]) in self.peers.iter().zip(&self.requests) {
            let name = peer.name();
            assert_eq!(peer.open(good).as_ref(), visit, "{name} opens what it sealed");
            assert_eq!(peer.user(good), Some(42), "{name} reads one key");
            assert_eq!(peer.open(forged), None, "{name} opens no forgery");
            assert_eq!(peer.user(forged), None, "{name} opens no forgery");
            let changed = peer.open(&Received::with(&peer.change(good)));
            assert_eq!(changed.map(|visit| visit.user), Some(43), "{name} keeps a change");
        }
        if self.has_straight() {
            let open = |peer: usize, of: usize| self.peers[peer].open(&self.requests[of][0]);
            assert_eq!(open(OURS, STRAIGHT).as_ref(), visit, "ours opens what the prototype sealed");
            assert_eq!(open(STRAIGHT, OURS).as_ref(), visit, "the prototype opens what ours sealed");
            let length = |peer: usize| self.peers[peer].seal(&self.visit).len();
            assert_eq!(length(OURS), length(STRAIGHT), "the prototype writes as much");
        }
    }
}

fn names() -> Vec<&'static str> {
    peers(Suite::Xaes).iter().map(|peer| peer.name()).collect()
}

fn peers(suite: Suite) -> [Box<dyn Cookies>; COLUMNS] {
    [
        Box::new(ours(suite)),
        Box::new(Straight::new(&SECRET)),
        Box::new(Jar::new()),
        Box::new(AxumExtra::new()),
        Box::new(ActixSession::new()),
        Box::new(Paseto::new()),
        Box::new(Jwe::new()),
    ]
}

/// What issue 12 asks for, and what was reached.
fn goals(xaes: &[Table; 4], xchacha: &[Table; 4]) {
    println!("### Goals\n");
    println!("| work | {} |", SIZES.map(|bytes| bytes.to_string()).join(" | "));
    println!("|---|---|---|---|---|");
    let line = |name: &str, goals: [f64; 4], unit: &str, at_least: bool, of: &dyn Fn(&Table) -> f64| {
        let cells = xaes.iter().zip(goals).map(|(table, goal)| {
            let reached = of(table);
            let (sign, met) = if at_least { ("≥", reached >= goal) } else { ("≤", reached <= goal) };
            let digits = if unit.is_empty() { 2 } else { 0 };
            format!("{sign} {goal}{unit}: {reached:.digits$}{unit}, {}", if met { "met" } else { "**not met**" })
        });
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    let times_faster = |row: usize| move |table: &Table| table[row][JAR] / table[row][OURS];
    let straight = |row: usize| move |table: &Table| table[row][OURS] / table[row][STRAIGHT];
    for (row, goals) in [
        (SEAL, [0.9, 1.3, 1.8, 2.0]),
        (OPEN, [1.75, 1.75, 1.8, 1.75]),
        (2, [2.0, 3.0, 7.0, 8.0]),
        (CHANGE, [1.9, 2.8, 4.0, 4.5]),
        (4, [1.8, 2.3, 3.5, 4.5]),
    ] {
        line(&format!("{}, times faster than `cookie`", ROWS[row]), goals, "", true, &times_faster(row));
    }
    line(ROWS[NEVER], [150.0, 160.0, 200.0, 300.0], " ns", false, &|table| table[NEVER][OURS]);
    line("times the time of `straight`, seal", [1.25; 4], "", false, &straight(SEAL));
    line("times the time of `straight`, open", [1.25; 4], "", false, &straight(OPEN));
    println!();
    println!("| ahead of | `xaes`, every size | least ratio | `xchacha`, from 1024 bytes on | least ratio |");
    println!("|---|---|---|---|---|");
    for (column, name) in names().iter().enumerate().skip(JAR) {
        println!("| {name} | {} | {} |", ahead(xaes, 0, column), ahead(xchacha, 2, column));
    }
    println!();
}

/// In how many cells ours is ahead of a peer, and where it is least so.
fn ahead(tables: &[Table; 4], from: usize, column: usize) -> String {
    let mut ratios = Vec::new();
    for (bytes, table) in SIZES.iter().zip(tables).skip(from) {
        for (row, name) in ROWS.iter().enumerate().take(NEVER) {
            // The one cell in which the private jar may win.
            if (row, column, *bytes) != (SEAL, JAR, SIZES[0]) {
                ratios.push((table[row][column] / table[row][OURS], format!("{name}, {bytes}")));
            }
        }
    }
    let ahead = ratios.iter().filter(|(ratio, _)| *ratio > 1.0).count();
    let (least, place) = ratios.iter().min_by(|left, right| left.0.total_cmp(&right.0)).expect("there are some");
    let met = if ahead == ratios.len() { "met" } else { "**not met**" };
    format!("{ahead} of {}: {met} | {least:.2} ({place})", ratios.len())
}

fn plot(tables: &[Table; 4]) -> String {
    let names = names();
    let panels = [SEAL, OPEN, CHANGE].map(|row| {
        let line = |column: usize| Line {
            name: names[column].replace('`', ""),
            values: tables.iter().map(|table| table[row][column]).filter(|value| !value.is_nan()).collect(),
        };
        Panel { title: ROWS[row].replace('`', ""), lines: (0..COLUMNS).map(line).collect() }
    });
    svg("Time of a session, by bytes of its JSON, suite xaes", &SIZES, &panels)
}
