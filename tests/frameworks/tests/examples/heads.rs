//! What the head of each example says, for whoever copies it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Lines of code of the longest example: it is to be read as a whole.
const MAX_CODE_LINES: usize = 80;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn manifest() -> Table {
    fs::read_to_string(folder().join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The examples by name, as they stand in their folder.
fn examples() -> BTreeMap<String, String> {
    let paths = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.map(|path| (path.file_stem().unwrap().to_string_lossy().into(), fs::read_to_string(path).unwrap())).collect()
}

/// The comment at the beginning of a file.
fn head(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim_start_matches(' '));
    lines.collect::<Vec<_>>().join("\n")
}

/// The dependencies that a head asks for.
fn asked_for(head: &str) -> Table {
    let (_, lines) = head.split_once("```toml\n").unwrap();
    let (lines, _) = lines.split_once("\n```").unwrap();
    lines.parse::<Table>().unwrap()["dependencies"].as_table().unwrap().clone()
}

/// What a feature of the examples' package compiles, as a manifest would say it for this example alone.
fn compiled(manifest: &Table, feature: &str) -> Table {
    let items = manifest["features"][feature].as_array().unwrap().iter().map(|item| item.as_str().unwrap());
    let (others, ours): (Vec<_>, Vec<_>) = items.partition(|item| item.starts_with("dep:"));
    let ours = ours.iter().map(|item| Value::from(item.strip_prefix("sealed-session/").unwrap())).collect();
    let entry = |name: &str, features| (name.to_owned(), line(&manifest["dependencies"][name], features));
    let others = others.iter().map(|item| entry(item.trim_start_matches("dep:"), Vec::new()));
    others.chain([entry("sealed-session", ours)]).collect()
}

/// The shortest line for a dependency with these features more, without what is the workspace's own.
fn line(dependency: &Value, features: Vec<Value>) -> Value {
    let Value::Table(table) = dependency else { return dependency.clone() };
    let mut table = table.clone();
    table.remove("optional");
    table.remove("path");
    if !features.is_empty() {
        table.insert("features".to_owned(), features.into());
    }
    if table.len() == 1 { table["version"].clone() } else { table.into() }
}

#[test]
fn there_are_six_and_each_is_compiled() {
    let names = ["actix-web", "axum", "hyper", "poem", "rocket", "text"];
    assert_eq!(examples().into_keys().collect::<Vec<_>>(), names);
    let manifest = manifest();
    let mut targets = manifest["example"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["name"].as_str().unwrap())
        .collect::<Vec<_>>();
    targets.sort_unstable();
    assert_eq!(targets, names);
}

#[test]
fn a_head_asks_for_exactly_what_its_example_is_compiled_with() {
    let manifest = manifest();
    for (name, text) in examples() {
        assert_eq!(asked_for(&head(&text)), compiled(&manifest, &name), "{name}");
    }
}

#[test]
fn a_head_and_the_readme_have_the_command_that_runs_it() {
    let readme = fs::read_to_string(folder().join("../README.md")).unwrap();
    for (name, text) in examples() {
        let command = format!("`cargo run --example {name} --features {name}`");
        assert!(head(&text).contains(&command), "{name}");
        assert!(readme.contains(&command), "{name}");
    }
    // Without `--package`, because their package is a default member.
    let workspace: Table = fs::read_to_string(folder().join("../Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["default-members"].as_array().unwrap();
    assert!(members.iter().any(|member| member.as_str() == Some("examples")), "{members:?}");
}

#[test]
fn an_example_is_short() {
    for (name, text) in examples() {
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = text.lines().filter(is_code).count();
        assert!((30..=MAX_CODE_LINES).contains(&lines), "{name}: {lines}");
    }
}
