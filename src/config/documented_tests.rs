//! The page of the guide says what the tables of settings say.

use std::collections::BTreeSet;

use super::environment::variable;
use super::node::Node;
use super::setting::Setting as _;
use super::{Config, method_of, names};

const PAGE: &str = include_str!("../guide/configuration.md");

/// The rows of the table below a heading, cells trimmed.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = PAGE.split(&format!("\n# {heading}\n")).nth(1).unwrap().split("\n# ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<_>> = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert!(rows.len() > 5, "{heading}");
    rows
}

/// What stands in backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The value at a path, as a table cell shows it; `None` where it is left out.
fn default_of(path: &str) -> Option<String> {
    let mut node = Config::default().write();
    for segment in path.split('.') {
        let Node::Table(entries) = node else { return None };
        node = entries.into_iter().find(|(name, _)| name.as_str() == segment)?.1;
    }
    Some(match node {
        Node::Text(text) => text.to_string(),
        other => serde_json::to_string(&other).unwrap(),
    })
}

#[test]
fn the_table_of_settings_has_every_setting_with_its_variable_method_and_default() {
    let rows = rows("Every setting");
    assert_eq!(rows.len(), Config::paths().len());
    for path in Config::paths() {
        let row = rows.iter().find(|row| code(row[0]) == [path.as_str()]).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(code(row[1])[0], variable(&path));
        assert_eq!(code(row[3]), method_of(&path).into_iter().collect::<Vec<_>>(), "{path}");
        match default_of(&path).as_deref() {
            None => assert!(row[2].starts_with("left out"), "{path}"),
            Some("") => assert_eq!(row[2], "empty", "{path}"),
            Some(default) => assert_eq!(code(row[2]), [default], "{path}"),
        }
    }
}

/// Some writers of TOML refuse a value after a table.
#[test]
fn values_are_written_before_sections_and_lists() {
    let Node::Table(entries) = Config::from_toml("also_read = [{}]\nrolling = true").unwrap().write() else { panic!() };
    assert!(entries.is_sorted_by_key(|(_, node)| matches!(node, Node::Table(_) | Node::List(_))));
}

/// The block of TOML, and its lines with the name of the setting that each begins.
fn example() -> &'static str {
    PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()
}

#[test]
fn the_example_file_is_all_defaults() {
    let written = |config: &Config| serde_json::to_value(config).unwrap();
    assert_eq!(written(&Config::from_toml(example()).unwrap()), written(&Config::default()));
}

#[test]
fn the_example_file_names_every_setting_and_each_that_is_left_out_reads_as_it_stands_there() {
    let mut section = String::new();
    let mut found = BTreeSet::new();
    for line in example().lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = format!("{name}.");
            continue;
        }
        let setting = line.trim_start_matches("# ");
        let path = format!("{section}{}", setting.split(' ').next().unwrap());
        if line.starts_with('#') && path != "keys.ring" {
            let file =
                if section.is_empty() { String::new() } else { format!("[{}]\n", section.trim_end_matches('.')) };
            let read = Config::from_toml(&format!("{file}{setting}"));
            assert!(read.is_ok(), "{line}: {read:?}");
        }
        assert!(found.insert(path), "{line}");
    }
    assert_eq!(found, Config::paths().into_iter().collect());
}

#[test]
fn the_example_of_the_readme_is_read() {
    let readme = include_str!("../../README.md").split("\n## Configuration\n").nth(1).unwrap();
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Config::from_toml(example).unwrap().store_name(), Some("redis"));
    let exported = readme.split("export ").nth(1).unwrap().lines().next().unwrap();
    assert!(Config::default().overridden_by([exported.split_once('=').unwrap()]).is_ok());
}

#[test]
fn what_other_libraries_settings_map_to_exists() {
    let paths = Config::paths();
    for heading in ["From AdonisJS", "From express-session", "From Curveball"] {
        for row in rows(heading) {
            for ours in code(row[1]).into_iter().filter(|ours| *ours != "Stores") {
                assert!(paths.iter().any(|path| path == ours), "{heading}: {ours}");
            }
        }
    }
}

#[test]
fn a_name_of_another_library_is_answered_with_ours() {
    let paths = Config::paths();
    for (theirs, ours) in names::OTHERS_NAMES {
        for name in code(ours).into_iter().filter(|name| *name != "Stores") {
            let is_setting = paths.iter().any(|path| path == name || path.starts_with(&format!("{name}.")));
            assert!(is_setting, "{theirs}: {name}");
        }
        let error = Config::from_toml(&format!("{theirs} = 1")).unwrap_err();
        assert!(error.to_string().contains(ours), "{error}");
    }
}

#[test]
fn every_method_is_found_by_its_name_and_leads_to_one_setting() {
    for path in Config::paths() {
        if let Some(method) = method_of(&path) {
            assert_eq!(Config::path_of(method), Some(path.clone()));
        }
    }
    assert_eq!(Config::path_of("cookie_name").as_deref(), Some("cookie.name"));
    assert_eq!(Config::path_of("ring").as_deref(), Some("keys"));
    assert_eq!(Config::path_of(""), None);
    assert_eq!(Config::path_of("clock"), None);
}
