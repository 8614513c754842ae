//! What a user of the crate compiles along with it, pinned through `cargo tree` and `cargo metadata`.
//!
//! What any of the common platforms compiles is counted, so that the figures are the same wherever the test runs. (Not
//! `--target all`: that lists crates behind `cfg(any())` too, which no platform compiles.) The lock file is taken as it
//! stands; nothing is fetched after `cargo fetch`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crates of the core without a store, ours not counted.
const CORE_MAX_CRATES: usize = 48;
/// Crates with the memory store, ours not counted.
const MEMORY_MAX_CRATES: usize = 62;

/// What is counted.
const PLATFORMS: [&str; 4] =
    ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc", "wasm32-wasip1"];

/// Crates that state no `rust-version`. `arc-swap` is of edition 2018, and its change log speaks of compilers from before
/// 1.39.
const BUILD_WITH_OLD_COMPILERS: [&str; 1] = ["arc-swap"];

/// Crates that come in two versions in a member's tree: of each, its client uses an earlier release than ours.
const TWICE_IN_MEMBERS: &[(&str, &[&str])] = &[
    // `cookie` 0.16, with the ciphers of its private jars.
    (
        "sealed-session-actix-session",
        &[
            "aead",
            "aes",
            "aes-gcm",
            "base64",
            "block-buffer",
            "cipher",
            "cpufeatures",
            "crypto-common",
            "ctr",
            "digest",
            "getrandom",
            "ghash",
            "hkdf",
            "hmac",
            "inout",
            "polyval",
            "rand",
            "rand_chacha",
            "rand_core",
            "sha2",
            "syn",
            "universal-hash",
        ],
    ),
    // Those of the databases that it sweeps.
    (
        "sealed-session-cli",
        &[
            "base64",
            "block-buffer",
            "cpufeatures",
            "crypto-common",
            "digest",
            "getrandom",
            "hashbrown",
            "rand",
            "rand_core",
            "sha2",
            "syn",
        ],
    ),
    ("sealed-session-dynamodb", &["syn"]),
    // `bson` 3, and random numbers of two generations.
    ("sealed-session-mongodb", &["base64", "getrandom", "syn"]),
    ("sealed-session-salvo", &["base64", "block-buffer", "cpufeatures", "crypto-common", "digest", "syn"]),
    // `sha2` 0.10, for the names of migrations that are never run.
    (
        "sealed-session-sqlx",
        &["base64", "block-buffer", "cpufeatures", "crypto-common", "digest", "hashbrown", "sha2", "syn"],
    ),
    ("sealed-session-tower-sessions", &["base64", "getrandom", "syn"]),
];

/// The same for a framework of ours alone: its own generation of crates, which its applications compile anyway.
const TWICE_WITH_FRAMEWORKS: &[(&str, &[&str])] = &[
    ("actix-web", &["syn"]),
    ("poem", &["base64", "block-buffer", "cpufeatures", "crypto-common", "digest", "syn"]),
    ("rocket", &["http", "pear", "pear_codegen", "proc-macro2-diagnostics", "syn"]),
];

/// The members, and what the crate's own manifest must not name because they do.
const OF_MEMBERS: &[(&str, &[&str])] = &[
    ("sealed-session-actix-session", &["actix-session", "anyhow"]),
    ("sealed-session-cli", &["clap", "humantime"]),
    ("sealed-session-dynamodb", &["aws-sdk-dynamodb"]),
    ("sealed-session-mongodb", &["mongodb"]),
    ("sealed-session-redis", &["redis"]),
    ("sealed-session-salvo", &["salvo_core"]),
    ("sealed-session-sqlx", &["sqlx"]),
    ("sealed-session-tower-sessions", &["async-trait", "tower-sessions-core"]),
];

/// Ciphers and hashes that hold a key or a state made from one, and wipe it only on request.
const HOLDS_SECRETS: [&str; 11] = [
    "aes",
    "aes-gcm",
    "block-buffer",
    "chacha20",
    "chacha20poly1305",
    "digest",
    "ghash",
    "hmac",
    "poly1305",
    "polyval",
    "sha2",
];

/// A crate of a tree: its version and the features that are on.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    version: String,
    features: BTreeSet<String>,
}

#[test]
fn the_core_stays_small() {
    assert_at_most(&tree(&["--no-default-features"]), CORE_MAX_CRATES);
}

#[test]
fn the_memory_store_stays_small() {
    assert_at_most(&tree(&["--no-default-features", "--features", "memory"]), MEMORY_MAX_CRATES);
}

#[test]
fn the_file_store_needs_the_standard_library_alone() {
    assert_eq!(tree(&["--no-default-features", "--features", "file"]), tree(&["--no-default-features"]));
}

#[test]
fn the_core_knows_no_framework_and_no_runtime() {
    let core = tree(&["--no-default-features"]);
    assert_without(
        &core,
        &["http", "http-body", "cookie", "tokio", "axum", "axum-core", "tower", "tower-layer", "tower-service"],
    );
}

#[test]
fn the_tower_layer_needs_neither_axum_nor_tokio() {
    let tower = tree(&["--no-default-features", "--features", "tower"]);
    assert_with(&tower, "tower-layer");
    assert_without(&tower, &["axum", "axum-core", "tokio", "tower", "hyper"]);
}

#[test]
fn the_axum_extractor_needs_the_traits_alone() {
    let axum = tree(&["--no-default-features", "--features", "axum"]);
    assert_with(&axum, "axum-core");
    assert_without(&axum, &["axum", "hyper", "tower"]);
}

#[test]
fn an_sql_store_brings_one_engine_and_no_tls_of_its_own() {
    for (feature, client) in [("sqlite", "sqlx-sqlite"), ("postgres", "sqlx-postgres"), ("mysql", "sqlx-mysql")] {
        let sql = tree_of("sealed-session-sqlx", &["--features", feature]);
        assert_with(&sql, client);
        let others = ["sqlx-sqlite", "sqlx-postgres", "sqlx-mysql"].into_iter().filter(|other| *other != client);
        assert_without(
            &sql,
            &others.chain(["sqlx-macros", "rustls", "native-tls", "openssl", "rsa", "moka"]).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn the_dynamodb_store_leaves_http_and_tls_to_the_application() {
    let dynamodb = tree_of("sealed-session-dynamodb", &[]);
    assert_with(&dynamodb, "aws-sdk-dynamodb");
    assert_without(&dynamodb, &["hyper", "rustls", "aws-lc-rs", "ring", "native-tls", "openssl", "aws-config", "moka"]);
}

#[test]
fn the_mongodb_store_brings_one_kind_of_tls_and_no_resolver() {
    let mongodb = tree_of("sealed-session-mongodb", &[]);
    assert_with(&mongodb, "mongodb");
    assert_with(&mongodb, "rustls");
    assert_without(&mongodb, &["aws-lc-rs", "native-tls", "openssl", "hickory-resolver", "moka"]);
}

#[test]
fn the_redis_store_leaves_tls_and_the_kind_of_connection_to_the_application() {
    let redis = tree_of("sealed-session-redis", &[]);
    assert_with(&redis, "redis");
    assert_without(&redis, &["rustls", "native-tls", "openssl", "backon", "crc16", "moka"]);
}

#[test]
fn the_command_brings_no_database_that_it_was_not_asked_for() {
    let command = tree_of("sealed-session-cli", &[]);
    assert_with(&command, "clap");
    assert_without(&command, &["sqlx", "mongodb", "redis", "aws-sdk-dynamodb", "moka", "proptest"]);
}

#[test]
fn a_layer_over_tower_brings_no_framework_and_no_runtime() {
    let tower_sessions = tree_of("sealed-session-tower-sessions", &[]);
    assert_with(&tower_sessions, "tower-sessions-core");
    assert_without(&tower_sessions, &["axum", "axum-core", "actix-web", "mio", "hyper", "tower", "tower-sessions"]);
    // Its channels and locks, which run on any runtime.
    for tokio in tower_sessions.iter().filter(|dependency| dependency.name == "tokio") {
        assert!(tokio.features.is_subset(&["default", "sync"].map(String::from).into()), "{tokio:?}");
    }
}

#[test]
fn the_manifest_names_no_engine_and_no_crate_of_the_command() {
    let ours = packages().remove(env!("CARGO_PKG_NAME")).unwrap_or_default();
    let dependencies = ours.get("dependencies").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<_> =
        dependencies.iter().filter_map(|dependency| dependency.get("name")?.as_str().map(String::from)).collect();
    assert!(names.iter().any(|name| name == "aes-gcm"), "the manifest was not read: {names:?}");
    for (member, crates) in OF_MEMBERS {
        for name in *crates {
            assert!(!names.iter().any(|ours| ours == name), "`{name}` belongs to {member}");
        }
    }
    assert!(!names.iter().any(|name| name.starts_with("sealed-session")), "the crate depends on a member");
}

#[test]
fn the_configuration_needs_one_parser_and_no_derive_macro() {
    let config = tree(&["--no-default-features", "--features", "config"]);
    assert_with(&config, "toml");
    assert_without(&config, &["serde_derive", "syn", "toml_writer", "indexmap"]);
}

#[test]
fn no_crate_comes_in_two_versions() {
    let frameworks: BTreeSet<_> = TWICE_WITH_FRAMEWORKS.iter().map(|(feature, _)| *feature).collect();
    let features = our_features().into_iter().filter(|feature| !frameworks.contains(feature.as_str()));
    assert_eq!(twice(&features.collect::<Vec<_>>().join(",")), [] as [&str; 0]);
}

#[test]
fn a_member_brings_few_crates_in_two_versions() {
    let found = members().into_iter().map(|member| (twice_in(tree_of(&member, &["--all-features"])), member));
    let found: Vec<_> = found.filter(|(twice, _)| !twice.is_empty()).map(|(twice, member)| (member, twice)).collect();
    // Exactly these: one that has left the tree leaves the list.
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = TWICE_IN_MEMBERS.iter().map(|(member, twice)| ((*member).to_owned(), owned(twice)));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[test]
fn a_framework_brings_few_crates_in_two_versions() {
    for (feature, expected) in TWICE_WITH_FRAMEWORKS {
        assert_eq!(twice(feature), *expected, "{feature}");
    }
}

#[test]
fn a_framework_brings_no_other() {
    let frameworks = ["actix-web", "axum-core", "poem", "rocket"];
    for (feature, own) in [
        ("actix-web", "actix-web"),
        ("axum", "axum-core"),
        ("poem", "poem"),
        ("rocket", "rocket"),
        ("tower", "tower-layer"),
    ] {
        let tree = tree(&["--no-default-features", "--features", feature]);
        assert_with(&tree, own);
        assert_without(&tree, &frameworks.into_iter().filter(|framework| *framework != own).collect::<Vec<_>>());
        assert_without(&tree, &["sqlx", "redis", "mongodb", "moka", "aws-sdk-dynamodb"]);
    }
}

/// The crates that come in two versions or more with these features.
fn twice(features: &str) -> Vec<String> {
    twice_in(tree(&["--no-default-features", "--features", features]))
}

fn twice_in(tree: BTreeSet<Dependency>) -> Vec<String> {
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for dependency in tree {
        versions.entry(dependency.name).or_default().insert(dependency.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    versions.into_keys().collect()
}

/// The features of the manifest.
fn our_features() -> Vec<String> {
    let ours = packages().remove(env!("CARGO_PKG_NAME")).unwrap_or_default();
    let features = ours.get("features").and_then(Value::as_object).cloned().unwrap_or_default();
    assert!(features.contains_key("default"), "the manifest was not read: {features:?}");
    features.into_iter().map(|(name, _)| name).collect()
}

/// The published packages of the workspace beside ours.
fn members() -> Vec<String> {
    let is_published = |package: &Value| package.get("publish").is_some_and(Value::is_null);
    let published = packages().into_iter().filter(|(_, package)| is_published(package)).map(|(name, _)| name);
    let members: Vec<_> = published.filter(|name| name != env!("CARGO_PKG_NAME")).collect();
    let table: Vec<_> = OF_MEMBERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(members, table, "a member is missing in the table, or is gone");
    members
}

/// The packages of the workspace by name, as `cargo metadata` has them.
fn packages() -> BTreeMap<String, Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap_or_default();
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |package: Value| Some((package.get("name")?.as_str()?.to_owned(), package));
    packages.into_iter().filter_map(named).collect()
}

#[test]
fn the_core_builds_with_our_rust_version() {
    let ours = rust_version(env!("CARGO_PKG_RUST_VERSION"));
    assert!(ours >= (1, 89), "{ours:?}");
    let declared = declared_rust_versions();
    for dependency in tree(&["--no-default-features"]) {
        if BUILD_WITH_OLD_COMPILERS.contains(&dependency.name.as_str()) {
            continue;
        }
        let theirs = declared.get(&(dependency.name.clone(), dependency.version.clone()));
        let theirs = theirs.unwrap_or_else(|| panic!("{} states no rust-version", dependency.name));
        assert!(rust_version(theirs) <= ours, "{} needs Rust {theirs}, ours is {ours:?}", dependency.name);
    }
}

#[test]
fn a_member_builds_with_its_rust_version() {
    let (declared, packages) = (declared_rust_versions(), packages());
    for member in members() {
        let ours = packages[&member].get("rust_version").and_then(Value::as_str).unwrap_or_default();
        // With a database, the command needs what the database's store does.
        let features: &[&str] = if member == "sealed-session-cli" { &[] } else { &["--all-features"] };
        for dependency in tree_of(&member, features) {
            if let Some(theirs) = declared.get(&(dependency.name.clone(), dependency.version.clone())) {
                let builds = rust_version(theirs) <= rust_version(ours);
                assert!(builds, "{member}: {} needs Rust {theirs}, it says {ours:?}", dependency.name);
            }
        }
    }
}

#[test]
fn key_schedules_are_wiped() {
    let core = tree(&["--no-default-features"]);
    for name in HOLDS_SECRETS {
        let found: Vec<_> = core.iter().filter(|dependency| dependency.name == name).collect();
        assert!(!found.is_empty(), "{name} left the tree: so must its line here");
        for dependency in found {
            assert!(dependency.features.contains("zeroize"), "{name} is built without `zeroize`: {dependency:?}");
        }
    }
}

fn assert_at_most(tree: &BTreeSet<Dependency>, most: usize) {
    let names: Vec<_> = tree.iter().map(|dependency| dependency.name.as_str()).collect();
    assert!(names.len() > 10, "the tree was not read: {names:?}");
    assert!(names.len() <= most, "{} crates, {most} at most: {names:?}", names.len());
}

fn assert_with(tree: &BTreeSet<Dependency>, name: &str) {
    assert!(tree.iter().any(|dependency| dependency.name == name), "{name} is not in the tree");
}

fn assert_without(tree: &BTreeSet<Dependency>, names: &[&str]) {
    assert_with(tree, "aes-gcm");
    let found: Vec<_> =
        tree.iter().map(|dependency| &dependency.name).filter(|name| names.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// The normal dependencies under these feature options, on the common platforms, ours not counted.
fn tree(features: &[&str]) -> BTreeSet<Dependency> {
    tree_of(env!("CARGO_PKG_NAME"), features)
}

fn tree_of(package: &str, features: &[&str]) -> BTreeSet<Dependency> {
    let ours = ["tree", "--package", package, "--edges", "normal"];
    let platforms = PLATFORMS.map(|platform| ["--target", platform]).concat();
    let shape = ["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"];
    let lines = cargo(&[&ours[..], &platforms, &shape, features].concat());
    let mut tree: BTreeSet<_> = lines.lines().filter_map(dependency).collect();
    tree.retain(|dependency| !dependency.name.starts_with(env!("CARGO_PKG_NAME")));
    tree
}

/// `aes v0.9.4|default,zeroize`; a macro crate has ` (proc-macro)` behind its version.
fn dependency(line: &str) -> Option<Dependency> {
    let (package, features) = line.split_once('|')?;
    let mut words = package.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    let features = features.split(',').map(|feature| feature.trim().to_owned()).collect();
    Some(Dependency { name, version, features })
}

/// `rust-version` by name and version, for every package of the lock file that states one.
fn declared_rust_versions() -> BTreeMap<(String, String), String> {
    let text = cargo(&["metadata", "--format-version", "1", "--all-features"]);
    let metadata: Value = serde_json::from_str(&text).unwrap_or_default();
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    let declared = |package: &Value| {
        let text = |key| package.get(key).and_then(Value::as_str).map(String::from);
        Some(((text("name")?, text("version")?), text("rust_version")?))
    };
    packages.iter().filter_map(declared).collect()
}

fn rust_version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map_while(|part| part.parse().ok());
    (parts.next().unwrap_or(u32::MAX), parts.next().unwrap_or(0))
}

/// What `cargo` prints, with the lock file as it stands.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).arg("--locked").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let (worked, printed, complaint) = match output {
        Ok(output) => (output.status.success(), output.stdout, output.stderr),
        Err(error) => (false, Vec::new(), error.to_string().into_bytes()),
    };
    assert!(worked, "cargo {arguments:?}: {}", String::from_utf8_lossy(&complaint));
    String::from_utf8_lossy(&printed).into_owned()
}

#[test]
fn a_line_of_the_tree_is_read() {
    let expected = |features: &[&str]| {
        let features = features.iter().map(|feature| (*feature).to_owned()).collect();
        Some(Dependency { name: "serde_derive".to_owned(), version: "1.0.229".to_owned(), features })
    };
    assert_eq!(dependency("serde_derive v1.0.229 (proc-macro)|default,x"), expected(&["default", "x"]));
    assert_eq!(dependency("serde_derive v1.0.229|"), expected(&[""]));
    assert_eq!(dependency(""), None);
}

#[test]
fn rust_versions_are_compared_by_number() {
    assert!(rust_version("1.100") > rust_version("1.89"));
    assert_eq!(rust_version("1.89.0"), rust_version("1.89"));
    assert!(rust_version("unknown") > rust_version("1.89"));
}
