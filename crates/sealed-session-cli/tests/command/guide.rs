//! The rotation guide's commands work, one after the other, as they stand there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Outcome, run};

const GUIDE: &str = include_str!("../../../../src/guide/rotation.md");

/// The commands below a heading of the guide, in their order.
fn commands_of(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, section) = GUIDE.split_once(&format!("# {heading}\n")).unwrap();
    let section = section.split("\n# ").next().unwrap();
    let shell = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let lines = shell.flat_map(str::lines).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let commands: Vec<_> = lines.filter(|words| matches!(words.first(), Some(&("sealed-session" | "cp")))).collect();
    assert!(!commands.is_empty(), "{heading} shows no command");
    commands
}

/// A folder of the test's own, in which the guide's key file stands.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("guide-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> String {
        self.0.join("session.keys").display().to_string()
    }

    /// Runs a command of the guide, with our files and key ids in the place of the guide's.
    fn run(&self, command: &[&str], key_id: &str) -> Outcome {
        let (file, deployed) = (self.file(), self.0.join("deployed.keys").display().to_string());
        if command[0] == "cp" {
            assert_eq!(command, ["cp", "session.keys", "deployed.keys"]);
            fs::copy(file, deployed).unwrap();
            return Outcome { code: 0, output: String::new(), error: String::new() };
        }
        let words = command[1..].iter().map(|word| match *word {
            "session.keys" => file.as_str(),
            "deployed.keys" => deployed.as_str(),
            "OLD_KEY_ID" | "LEAKED_KEY_ID" => key_id,
            word => word,
        });
        // A key id may begin with a hyphen, which the command's help speaks of.
        let (options, key_ids): (Vec<_>, Vec<_>) = words.partition(|word| *word != key_id || key_id.is_empty());
        let key_ids = if key_ids.is_empty() { Vec::new() } else { [vec!["--"], key_ids].concat() };
        run([options, key_ids].concat(), "")
    }

    fn keys(&self) -> Vec<Value> {
        let listed = run(["keys", "list", &self.file(), "--json"], "").json();
        listed["keys"].as_array().unwrap().clone()
    }

    fn started(name: &str) -> Self {
        let place = Self::new(name);
        for command in commands_of("Start") {
            assert_eq!(place.run(&command, "").code, 0, "{command:?}");
        }
        place
    }

    fn only_key_id(&self) -> String {
        let keys = self.keys();
        assert_eq!(keys.len(), 1);
        keys[0]["key_id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_first_key_seals() {
    let keys = Place::started("start").keys();
    assert_eq!(keys[0]["state"], "sealing");
}

#[test]
fn a_planned_rotation_goes_as_it_is_told() {
    let place = Place::started("planned");
    let old = place.only_key_id();
    let commands = commands_of("A planned rotation, in three steps");
    let (removal, steps) = commands.split_last().unwrap();
    for command in steps {
        let outcome = place.run(command, &old);
        assert_eq!(outcome.code, 0, "{command:?} {outcome:?}");
    }
    let states: Vec<_> = place.keys().iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect();
    assert!(states.contains(&"pending".to_owned()) && states.contains(&"sealing".to_owned()), "{states:?}");
    // A month too early: nobody is logged out by following the guide too fast.
    let before = fs::read(place.file()).unwrap();
    let outcome = place.run(removal, &old);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[test]
fn after_a_leak_the_key_is_gone_and_every_session_of_before_will_be() {
    let place = Place::started("leak");
    let leaked = place.only_key_id();
    for command in commands_of("After a leak") {
        let outcome = place.run(&command, &leaked);
        assert_eq!(outcome.code, 0, "{command:?} {outcome:?}");
    }
    assert_ne!(place.only_key_id(), leaked);
    let listed = run(["keys", "list", &place.file(), "--json"], "").json();
    assert!(listed["not_before"].is_string());
}

#[test]
fn the_other_cipher_comes_with_another_key() {
    let place = Place::started("cipher");
    for command in commands_of("From one cipher to the other") {
        let outcome = place.run(&command, "");
        assert_eq!(outcome.code, 0, "{command:?} {outcome:?}");
    }
    assert!(place.keys().iter().any(|key| key["suite"] == "xchacha" && key["state"] == "pending"));
}
