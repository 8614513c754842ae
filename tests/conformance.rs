//! The table of promises names a test in each row, and each of them exists.

use std::fs;
use std::path::Path;

#[test]
fn every_promise_is_held_by_a_test_that_exists() {
    let table = read("src/guide/conformance.md").unwrap_or_default();
    assert!(table.lines().filter(|line| line.starts_with('|')).count() > 70, "the tables were not read");
    let found = problems(&table, read);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_row_without_a_test_and_one_whose_test_is_gone_are_found() {
    let sources = |path: &str| {
        let text = "#[test]\nfn holds() {}\n\n#[test]\n#[ignore]\nfn sleeps() {}\n\nfn helper() {}\n\n\
                    #[pollster::test]\nasync fn waits() {}\n";
        (path == "tests/a.rs").then(|| text.to_owned())
    };
    let table = |cell: &str| format!("| promise | here | held by |\n|---|---|---|\n| it holds | `call` | {cell} |\n");
    for cell in ["`tests/a.rs::holds`", "`tests/a.rs::waits`", "`tests/a.rs::holds`, `tests/a.rs::waits`"] {
        assert_eq!(problems(&table(cell), sources), Vec::<String>::new(), "{cell}");
    }
    for cell in [
        "",
        "by hand",
        "`tests/b.rs::holds`",
        "`tests/a.rs::hold`",
        "`tests/a.rs::helper`",
        "`tests/a.rs::sleeps`",
        "`tests/a.rs`",
        "`tests/a.rs::holds`, `tests/a.rs::gone`",
    ] {
        assert_eq!(problems(&table(cell), sources).len(), 1, "{cell}");
    }
    assert_eq!(problems("| a | b |\n|---|---|\n| no third cell | `tests/a.rs::gone` |\n", sources).len(), 1);
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// What is wrong with the rows of the tables, when this reads the sources.
fn problems(table: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let rows = table.lines().filter(|line| line.starts_with('|'));
    // A table begins with its heading and a rule below it.
    let headings = table.lines().zip(table.lines().skip(1)).filter(|(_, rule)| rule.starts_with("|---"));
    let headings: Vec<&str> = headings.flat_map(|(heading, rule)| [heading, rule]).collect();
    rows.filter(|row| !headings.contains(row)).filter_map(|row| problem(row, &read)).collect()
}

fn problem(row: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let cell = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    // Every second part stands between backticks.
    let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    if tests.is_empty() {
        return Some(format!("no test holds this: {row}"));
    }
    let is_gone = |test: &&&str| {
        let named = test.split_once("::").and_then(|(path, name)| Some((read(path)?, name)));
        !named.is_some_and(|(source, name)| is_test(&source, name))
    };
    tests.iter().find(is_gone).map(|test| format!("there is no test {test}: {row}"))
}

/// Whether a function of this name is a test that runs.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let [sync, waiting] = ["fn", "async fn"].map(|keyword| format!("{keyword} {name}("));
    let Some(position) = lines.iter().position(|line| line.starts_with(&sync) || line.starts_with(&waiting)) else {
        return false;
    };
    let attributes: Vec<_> = lines.iter().take(position).rev().take_while(|line| line.starts_with("#[")).collect();
    attributes.iter().any(|line| line.ends_with("test]")) && !attributes.iter().any(|line| line.starts_with("#[ignore"))
}
