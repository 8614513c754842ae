//! Where a configuration finds its keys.

use sealed_session::key_source::KeyOrigin;
use sealed_session::{Config, Key};

use crate::support::{overridden, toml, toml_error};

fn error(text: &str) -> String {
    toml(text).key_origin().unwrap_err().to_string()
}

#[test]
fn the_keys_are_in_a_variable_by_default() {
    let origin = Config::default().key_origin().unwrap();
    assert!(matches!(origin, KeyOrigin::Environment { variable } if variable == "SESSION_KEYS"));
    let origin = toml("[keys]\nvariable = \"SHOP_KEYS\"").key_origin().unwrap();
    assert!(matches!(origin, KeyOrigin::Environment { variable } if variable == "SHOP_KEYS"));
}

#[test]
fn a_file_and_a_directory_are_told_by_their_path() {
    let origin = toml("keys = { source = \"file\", path = \"/a/b\" }").key_origin().unwrap();
    assert!(matches!(origin, KeyOrigin::File { path } if path.as_os_str() == "/a/b"));
    let origin = toml("keys = { source = \"directory\", path = \"/a\" }").key_origin().unwrap();
    assert!(matches!(origin, KeyOrigin::Directory { path } if path.as_os_str() == "/a"));
}

#[test]
fn keys_of_several_lines_can_stand_in_the_configuration() {
    let (new, old) = (Key::generate().unwrap(), Key::generate().unwrap());
    let ring = format!("# new\n{}\n{} open-only\n", *new.to_secret_text(), *old.to_secret_text());
    let origin = toml(&format!("[keys]\nsource = \"inline\"\nring = '''\n{ring}'''")).key_origin().unwrap();
    let KeyOrigin::Inline { ring } = origin else { panic!("{origin:?}") };
    assert_eq!(ring.key_ids().collect::<Vec<_>>(), [new.id(), old.id()]);
}

#[test]
fn a_source_without_what_it_needs_is_refused() {
    for source in ["file", "directory"] {
        let message = "`keys.path`: the source is a file or a directory; give its path";
        assert_eq!(error(&format!("keys.source = \"{source}\"")), message);
    }
    assert_eq!(error("keys.source = \"inline\""), "`keys.ring`: the source is `inline`; give the keys here");
}

#[test]
fn what_belongs_to_another_source_is_refused() {
    let key = Key::generate().unwrap().to_secret_text();
    for (text, setting) in [
        ("keys.path = \"/a\"".to_owned(), "`keys.path`"),
        (format!("keys.ring = \"{}\"", *key), "`keys.ring`"),
        ("keys = { source = \"file\", path = \"/a\", variable = \"B\" }".to_owned(), "`keys.variable`"),
        (format!("keys = {{ source = \"inline\", path = \"/a\", ring = \"{}\" }}", *key), "`keys.path`"),
    ] {
        let message = error(&text);
        assert!(message.starts_with(&format!("{setting}: it is used by the source")), "{message}");
        assert!(message.ends_with("alone; take it out, or change `keys.source`"), "{message}");
    }
}

#[test]
fn a_variable_for_the_source_replaces_the_files_place_as_a_whole() {
    let file = || toml("keys = { source = \"file\", path = \"/a\" }");
    let config = file().overridden_by([("SEALED_SESSION_KEYS__SOURCE", "environment")]).unwrap();
    assert!(matches!(config.key_origin().unwrap(), KeyOrigin::Environment { .. }));
    // In whatever order the environment has them.
    let both = [("SEALED_SESSION_KEYS__PATH", "/b"), ("SEALED_SESSION_KEYS__SOURCE", "directory")];
    let origin = file().overridden_by(both).unwrap().key_origin().unwrap();
    assert!(matches!(origin, KeyOrigin::Directory { path } if path.as_os_str() == "/b"));
    let config = file().overridden_by([("SEALED_SESSION_KEYS__SOURCE", "directory")]).unwrap();
    assert!(config.key_origin().is_err());
}

#[test]
fn keys_that_are_no_keys_are_refused_with_their_line_and_the_rule() {
    let message = toml_error("keys.ring = '''\n\nnot a key'''").to_string();
    assert!(message.starts_with("`keys.ring`: line 2 of the ring: a key ("), "{message}");
    assert_eq!(
        overridden(&[("SEALED_SESSION_KEYS__RING", "# none")]).unwrap_err().to_string(),
        "`keys.ring` (from the variable `SEALED_SESSION_KEYS__RING`): a ring has at least one key; make one with \
         `sealed-session keygen`"
    );
}

#[test]
fn the_poll_interval_is_read() {
    assert_eq!(toml("keys.poll_interval = \"1m 30s\"").key_poll_interval().as_secs(), 90);
}
