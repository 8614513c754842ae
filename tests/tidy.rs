//! The habits that a compiler does not hold: who imports whom, who names which crate, and how large a file grows.

mod tidy {
    pub(crate) mod cfg_test;
    pub(crate) mod lexer;
    pub(crate) mod paths;
    pub(crate) mod rules;
    pub(crate) mod table;
}

use std::fs;
use std::io;
use std::path::Path;

use tidy::rules::{adapter_code_lines, code_lines, findings, findings_of_member, ghosts};
use tidy::table::{ADAPTER_GUARDS, MEMBERS, ROOMS};

#[test]
fn the_sources_keep_every_rule() {
    let sources = read_sources();
    let found = findings(&borrowed(&sources));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_members_keep_every_rule() {
    let mut found = Vec::new();
    for member in members() {
        let sources = read_sources_of(&format!("crates/{member}/src"));
        assert!(sources.iter().any(|(name, text)| matches!(name.as_str(), "lib.rs" | "main.rs") && !text.is_empty()));
        found.extend(findings_of_member(&member, &borrowed(&sources)));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_table_has_every_member_and_no_other() {
    let table: Vec<_> = MEMBERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(members(), table);
}

#[test]
fn a_member_names_its_own_crates_alone() {
    let found = |text: &str| findings_of_member("sealed-session-redis", &[("lib.rs", text)]);
    assert_eq!(found("use redis::Cmd; use sealed_session::Session; use std::fmt;"), [] as [String; 0]);
    for name in ["sqlx", "aes_gcm", "http", "sealed_session_sqlx", "clap"] {
        let expected =
            format!("crates/sealed-session-redis/src/lib.rs:1: this member does not name the crate `{name}`");
        assert_eq!(found(&format!("use {name}::X;")), [expected]);
    }
    assert_eq!(found("fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(found("fn f() { std::time::SystemTime::now(); }").len(), 1);
    assert_eq!(findings_of_member("sealed-session-other", &[("lib.rs", "")]).len(), 1);
}

#[test]
fn every_source_file_was_read() {
    let sources = read_sources();
    for expected in ["lib.rs", "limits.rs", "crypto/xchacha.rs"] {
        assert!(sources.iter().any(|(name, text)| name == expected && !text.is_empty()), "{expected} was not read");
    }
}

#[test]
fn the_table_names_nothing_that_is_not_there() {
    let sources = read_sources();
    let names: Vec<_> = sources.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(ghosts(&names), [] as [String; 0]);
}

#[test]
fn the_design_page_lists_the_rooms_in_the_order_of_the_table() {
    let page = include_str!("../src/guide/design.md");
    let listed: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let rooms: Vec<_> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(listed, rooms);
}

#[test]
fn a_ghost_in_the_table_is_caught() {
    let sources = read_sources();
    for (gone, expected) in [
        ("wire/", "wire"),
        ("clock.rs", "clock"),
        ("session/data.rs", "session/data.rs"),
        ("adapter/tower/csrf.rs", "adapter/tower/csrf.rs"),
        ("adapter/header_map.rs", "header_map"),
        ("adapter/axum/", "adapter/axum"),
    ] {
        let names: Vec<_> =
            sources.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with(gone)).collect();
        let found = ghosts(&names);
        assert!(found.iter().any(|name| name == expected), "{gone}: {found:?}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for whoever runs it with --nocapture")]
fn every_adapter_was_counted() {
    let sources = read_sources();
    let lines = adapter_code_lines(&borrowed(&sources));
    println!("code lines of each adapter: {lines:?}");
    for expected in ["adapter/actix_web", "adapter/axum", "adapter/poem", "adapter/rocket", "adapter/tower"]
        .iter()
        .chain(ADAPTER_GUARDS)
    {
        assert!(lines.get(*expected).is_some_and(|lines| *lines > 20), "{expected} was not counted: {lines:?}");
    }
}

/// What an application can name. `unreachable_pub` is a warning, so every `pub` is one of these: an export by accident, or a
/// change of one, is a line of the list. After a change that is meant, `WRITE_PUBLIC_ITEMS=1 cargo test --test tidy` writes it.
#[test]
fn the_public_items_are_those_of_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tidy/public_items.txt");
    let found = public_items();
    if std::env::var_os("WRITE_PUBLIC_ITEMS").is_some() {
        let written = fs::write(&path, &found);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<_> = [(&found, &listed, "+"), (&listed, &found, "-")]
        .into_iter()
        .flat_map(|(one, other, sign)| {
            let is_new = move |line: &&str| !other.lines().any(|known| known == *line);
            one.lines().filter(is_new).map(move |line| format!("{sign} {line}"))
        })
        .collect();
    assert!(found == listed, "tests/tidy/public_items.txt is not what is public:\n{}", changed.join("\n"));
}

/// The first line of every public item, below the name of its file.
fn public_items() -> String {
    let mut sources = read_sources();
    sources.sort_unstable();
    let mut items = String::new();
    for (name, text) in &sources {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines = code.lines().map(str::trim).filter(|line| line.starts_with("pub "));
        let lines: Vec<_> = lines.map(|line| line.trim_end_matches(['{', '(', ' '])).collect();
        if !lines.is_empty() {
            items.extend(["# ", name, "\n"]);
            lines.iter().for_each(|line| items.extend([*line, "\n"]));
        }
    }
    items
}

/// The folders below `crates/`, sorted.
fn members() -> Vec<String> {
    let folders = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).into_iter().flatten().flatten();
    let mut members: Vec<_> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    members.sort_unstable();
    members
}

fn read_sources() -> Vec<(String, String)> {
    read_sources_of("src")
}

fn read_sources_of(folder: &str) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let read = read_folder(&root, "", &mut sources);
    assert!(read.is_ok(), "{}: {read:?}", root.display());
    sources
}

fn read_folder(folder: &Path, prefix: &str, sources: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &format!("{name}/"), sources)?;
        } else if name.ends_with(".rs") {
            sources.push((name, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn borrowed(sources: &[(String, String)]) -> Vec<(&str, &str)> {
    sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

/// What the rules find in a small crate: `lib.rs` and the rooms of these files.
fn found_in(file: &str, text: &str) -> Vec<String> {
    found_among(&[(file, text)])
}

fn found_among(files: &[(&str, &str)]) -> Vec<String> {
    let frame = [
        (
            "lib.rs",
            "mod clock; mod manager; mod seal; mod store; mod wire; pub use manager::SessionManager; pub use store::MemoryStore;",
        ),
        ("clock.rs", "pub struct Clock;"),
        ("manager/mod.rs", "pub struct SessionManager;"),
        ("seal.rs", "pub struct Sealer;"),
        ("store/mod.rs", "mod memory; pub use memory::MemoryStore; pub trait RecordStore {}"),
        ("store/memory.rs", "pub struct MemoryStore;"),
        ("adapter/tower.rs", "pub struct Layer;"),
        ("wire/mod.rs", "pub(crate) mod text;"),
        ("wire/text.rs", ""),
    ];
    let mut all = files.to_vec();
    all.extend(frame.iter().filter(|(name, _)| !files.iter().any(|(given, _)| given == name)));
    findings(&all)
}

/// Exactly one finding, with this text in it.
fn assert_caught(file: &str, text: &str, expected: &str) {
    let found = found_in(file, text);
    assert!(matches!(found.as_slice(), [one] if one.contains(expected)), "{file}: {text}: {found:?}");
}

fn assert_passes(file: &str, text: &str) {
    assert_eq!(found_in(file, text), [] as [String; 0], "{file}: {text}");
}

#[test]
fn the_table_flows_one_way() {
    for (line, (room, imports)) in ROOMS.iter().enumerate() {
        for import in *imports {
            assert!(ROOMS[..line].iter().any(|(above, _)| above == import), "`{import}` does not stand above `{room}`");
        }
    }
}

#[test]
fn an_import_against_the_flow_is_caught_however_it_is_written() {
    for text in [
        "use crate::manager::SessionManager;",
        "use crate::{wire::text, manager};",
        "use crate::{clock::{self, Clock}, manager::{SessionManager as S}};",
        "pub(crate) use crate::manager::*;",
        "use super::super::manager::SessionManager;",
        "use super::super::{manager};",
        "fn f() -> crate::manager::SessionManager { todo() }",
        "fn f(x: &super::super::manager::SessionManager) {}",
        "mod inner { use super::super::super::manager::SessionManager; }",
        "fn f() { use crate::manager; }",
        "macro_rules! m { () => { $crate::manager::f() } }",
        "use crate::SessionManager;",
        "use super::super::SessionManager;",
        "fn f<T>() -> <T as crate::manager::X>::Y {}",
        "use\n    crate // why\n    :: /* not */ manager;",
    ] {
        assert_caught("wire/text.rs", text, "`wire` may not import `manager`");
    }
}

#[test]
fn a_finding_names_the_file_and_the_line() {
    assert_caught("wire/text.rs", "//! Text.\n\nuse crate::manager;", "src/wire/text.rs:3: ");
}

#[test]
fn an_import_with_the_flow_passes() {
    assert_passes(
        "wire/text.rs",
        "use crate::clock::Clock; use super::text; use crate::wire; fn f() { wire::text::g() }",
    );
    assert_passes("manager/mod.rs", "use crate::{seal::Sealer, store::RecordStore}; use serde_json::Value;");
    assert_passes(
        "lib.rs",
        "mod wire; pub use wire::text; use crate::manager::SessionManager; pub use store::memory::MemoryStore;",
    );
}

#[test]
fn comments_strings_and_lifetimes_import_nothing() {
    assert_passes(
        "wire/text.rs",
        "//! See crate::manager::X. unsafe\n/* use crate::manager; */ /// todo!()\nfn f() {}",
    );
    assert_passes("wire/text.rs", r##"const A: &str = "crate::manager::X"; const B: &str = r#"unsafe " todo!()"#;"##);
    assert_passes("wire/text.rs", "fn f<'a>(x: &'a str, y: char) -> &'a str { if y == '\"' { x } else { x } }");
}

#[test]
fn test_code_may_import_anything_of_ours() {
    assert_passes("wire/text.rs", "#[cfg(test)] mod tests { use crate::manager::SessionManager; }");
    assert_passes("wire/text.rs", "#[cfg(test)] use crate::manager::SessionManager;");
    let files = [("wire/mod.rs", "#[cfg(test)] mod text;"), ("wire/text.rs", "use crate::manager::SessionManager;")];
    assert_eq!(found_among(&files), [] as [String; 0]);
}

#[test]
fn test_code_ends_where_it_ends() {
    assert_caught(
        "wire/text.rs",
        "#[cfg(test)] mod tests { fn f() {} } use crate::manager;",
        "may not import `manager`",
    );
    assert_caught("wire/text.rs", "#[cfg(not(test))] mod a { use crate::manager; }", "may not import `manager`");
}

#[test]
fn the_root_of_the_crate_is_no_way_around_the_table() {
    for text in
        ["use crate as root;", "use crate::*;", "use super::super::*;", "use crate::{self as root};", "crate::f!();"]
    {
        assert_caught("wire/text.rs", text, "names the crate's root");
    }
}

#[test]
fn a_leaf_is_imported_by_its_room_alone() {
    for text in [
        "use crate::store::memory::MemoryStore;",
        "use crate::store::memory;",
        "use crate::store; fn f() { store::memory::g() }",
        "use crate::store::MemoryStore;",
        "use crate::MemoryStore;",
    ] {
        let found = found_in("manager/mod.rs", text);
        assert!(found.last().is_some_and(|last| last.contains("leaf `store::memory`")), "{text}: {found:?}");
    }
    assert_caught("store/redis.rs", "use super::memory::MemoryStore;", "leaf `store::memory`");
    assert_caught("adapter/poem.rs", "use super::tower::Layer;", "leaf `adapter::tower`");
    assert_passes("adapter/axum.rs", "use super::tower::Layer; use crate::manager::SessionManager;");
    assert_passes("store/redis.rs", "use super::RecordStore;");
}

#[test]
fn a_room_that_the_table_does_not_know_is_caught() {
    assert_caught("helpers.rs", "", "src/helpers.rs:1: the room `helpers`");
    assert_caught("helpers/mod.rs", "", "src/helpers/mod.rs:1: the room `helpers`");
}

#[test]
fn a_crate_is_named_in_its_room_alone() {
    for (name, home) in [
        ("aes", "crypto"),
        ("aes_gcm", "crypto"),
        ("chacha20poly1305", "crypto"),
        ("poly1305", "crypto"),
        ("hkdf", "crypto"),
        ("hmac", "crypto"),
        ("sha2", "crypto"),
        ("getrandom", "crypto"),
        ("ctutils", "crypto"),
        ("moka", "store/memory"),
        ("http", "adapter"),
        ("http_body", "adapter"),
        ("tower_layer", "adapter"),
        ("tower_service", "adapter"),
        ("axum_core", "adapter"),
        ("pin_project_lite", "adapter"),
        ("rocket", "adapter"),
    ] {
        let expected = format!("only src/{home} names the crate `{name}`");
        for text in [
            format!("use {name}::X;"),
            format!("fn f() {{ ::{name}::g() }}"),
            format!("use {{std::fmt, {name} as x}};"),
        ] {
            assert_caught("seal.rs", &text, &expected);
            assert_passes(&format!("{home}/tower.rs"), &text);
        }
        assert_caught("seal.rs", &format!("#[cfg(test)] mod tests {{ use {name}::X; }}"), &expected);
    }
    assert_caught("store/mod.rs", "use moka::sync::Cache;", "only src/store/memory names the crate `moka`");
    assert_passes("store/memory.rs", "use moka::sync::Cache;");
}

#[test]
fn a_crate_of_two_homes_is_named_in_both_and_nowhere_else() {
    for home in ["cookie/request.rs", "json/outline.rs"] {
        assert_passes(home, "use memchr::memmem;");
    }
    assert_caught("seal.rs", "use memchr::X;", "only src/cookie and src/json names the crate `memchr`");
}

#[test]
fn a_crate_of_tests_is_named_in_any_test_and_otherwise_in_its_room() {
    assert_caught("seal.rs", "use proptest::prelude::*;", "only src/store/conformance names the crate `proptest`");
    assert_passes("seal.rs", "#[cfg(test)] mod tests { use proptest::prelude::*; }");
    let files = [("wire/mod.rs", "#[cfg(test)] mod text;"), ("wire/text.rs", "use proptest::prelude::*;")];
    assert_eq!(found_among(&files), [] as [String; 0]);
    assert_passes("store/conformance/model.rs", "use proptest::prelude::*;");
}

#[test]
fn a_module_or_a_name_of_ours_is_not_the_crate_of_the_same_name() {
    assert_passes("cookie/mod.rs", "mod http; use http::X; fn f() { http::g() }");
    assert_passes("seal.rs", "use crate::crypto::hmac; fn f() { hmac::g() }");
}

#[test]
fn the_time_is_read_in_the_clock_alone() {
    for text in [
        "use std::time::SystemTime; fn f() { SystemTime::now(); }",
        "fn f() { std::time::Instant::now(); }",
        "use std::time::Instant as I; fn f() { I::now(); }",
        "fn f() { time::OffsetDateTime::now_utc(); }",
        "#[cfg(test)] mod tests { fn f() { std::time::SystemTime::now(); } }",
    ] {
        assert_caught("seal.rs", text, "only src/clock.rs reads the time");
    }
    assert_passes("clock.rs", "use std::time::SystemTime; fn f() { SystemTime::now(); }");
    assert_passes("seal.rs", "fn f(clock: &dyn Clock) { clock.now(); }");
}

#[test]
fn what_must_not_stand_in_the_sources_is_caught() {
    for (text, expected) in [
        ("fn f() { unsafe { g() } }", "no `unsafe`"),
        ("#[cfg(test)] mod tests { unsafe fn f() {} }", "no `unsafe`"),
        ("fn f() { todo!() }", "no `todo!`"),
        ("fn f() { unimplemented!() }", "no `todo!`"),
        ("fn f() { dbg!(1) }", "no `todo!`"),
        ("include!(\"other.rs\");", "no `include!`"),
        ("extern crate moka as innocent;", "no `extern crate`"),
        ("#[path = \"../manager.rs\"] mod manager;", "no `#[path]`"),
        ("#[cfg_attr(unix, path = \"../manager.rs\")] mod manager;", "no `#[path]`"),
    ] {
        assert_caught("seal.rs", text, expected);
    }
    assert_passes(
        "seal.rs",
        "const A: &str = include_str!(\"a.json\"); fn todo(path: &str) { let path = \"b\"; todo(path) }",
    );
}

#[test]
fn a_file_stays_under_its_code_lines_and_its_bytes() {
    let line = "fn f() {}\n";
    assert_passes("seal.rs", &line.repeat(400));
    assert_caught("seal.rs", &line.repeat(401), "401 code lines");
    assert_passes(
        "seal.rs",
        &format!("{}// why\n\n#[cfg(test)] mod tests {{\n{}}}", line.repeat(400), line.repeat(50)),
    );
    assert_caught("seal.rs", &format!("//{}", "x".repeat(48 * 1024)), "bytes, 49152 at most");
    // One of the named longer files has its own bound, and no entry that it does not need.
    assert_caught("json/text.rs", &line.repeat(431), "431 code lines, 430 at most");
    assert_caught("json/text.rs", &line.repeat(400), "need no entry");
    assert_passes("json/text.rs", &line.repeat(410));
}

#[test]
fn an_adapter_stays_thin_over_all_its_files_and_its_guard_alone() {
    let line = "fn f() {}\n";
    let (half, whole) = (line.repeat(145), line.repeat(290));
    let (mod_rs, part) = (("adapter/poem/mod.rs", half.as_str()), ("adapter/poem/part.rs", half.as_str()));
    assert_eq!(found_among(&[mod_rs, part, ("adapter/rocket.rs", &whole)]), [] as [String; 0]);
    let one_more = [half.as_str(), line].concat();
    let found = found_among(&[mod_rs, ("adapter/poem/part.rs", &one_more)]);
    assert!(matches!(found.as_slice(), [one] if one.contains("src/adapter/poem: 291 code lines")), "{found:?}");
    // The frame's `adapter/tower.rs` has one line.
    assert_eq!(found_among(&[("adapter/tower/csrf.rs", &whole)]), [] as [String; 0]);
    let too_long = [whole.as_str(), line].concat();
    assert_caught("adapter/tower/csrf.rs", &too_long, "src/adapter/tower/csrf.rs: 291 code lines");
    // Comments, blanks and test code are free, as in any file.
    let commented = format!("{whole}// why\n\n#[cfg(test)] mod tests {{\n{whole}}}");
    assert_passes("adapter/rocket.rs", &commented);
}

#[test]
fn a_text_over_several_lines_counts_each_of_them() {
    assert_eq!(code_lines(&[("a.rs", "const A: &str = \"a\nb\nc\";\n\n// d\n")]), [3]);
}
