//! What each source reads, and what it refuses. Directories have a file of their own.

use std::ffi::OsString;
use std::fs;
use std::io;

use super::test_folder::ScratchFolder;
use super::*;
use crate::error::KeyError;
use crate::key::Key;

/// The text of a new key, and its id.
fn key() -> (String, crate::id::KeyId) {
    let key = Key::generate().unwrap();
    (key.to_secret_text().to_string(), key.id())
}

fn environment(value: Option<OsString>) -> EnvironmentSource {
    EnvironmentSource::with_look_up("APP_KEYS", move |variable| value.clone().filter(|_| variable == "APP_KEYS"))
}

/// What a source says when it fails, with `secret` nowhere in it.
#[track_caller]
fn problem(source: &impl KeySource, secret: &str) -> String {
    let error = source.load().unwrap_err();
    let problem = error.to_string();
    assert!(!problem.contains(secret) && !format!("{error:?}").contains(secret), "{problem}");
    problem
}

#[test]
fn the_first_key_of_the_variable_seals_and_all_of_them_open() {
    let ((new, new_id), (old, old_id)) = (key(), key());
    for separator in [" ", ",", "\n", ", "] {
        let ring = environment(Some(format!("{new}{separator}{old}").into())).load().unwrap();
        assert_eq!(ring.key_ids().collect::<Vec<_>>(), [new_id, old_id]);
        assert_eq!(ring.sealing_key_id(crate::clock::Timestamp::default()), Some(new_id));
    }
}

#[test]
fn a_variable_that_is_not_set_or_empty_is_named_with_the_mend() {
    for value in [None, Some(OsString::new())] {
        let source = environment(value);
        assert!(matches!(source.load(), Err(KeySourceError::NotSet { variable }) if variable == "APP_KEYS"));
        assert!(source.load().unwrap_err().to_string().contains("APP_KEYS is not set; set it to a key"));
    }
    assert!(matches!(
        environment(Some(" \n# nothing\n".into())).load(),
        Err(KeySourceError::Ring { source: KeyError::EmptyRing, .. })
    ));
}

#[test]
fn the_variable_is_session_keys_where_none_is_named() {
    assert!(format!("{:?}", EnvironmentSource::default()).contains("SESSION_KEYS"));
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = OsString::from_vec(b"ssk1.\xff".to_vec());
    assert!(matches!(
        environment(Some(value)).load(),
        Err(KeySourceError::NotText { place }) if place == "the environment variable APP_KEYS"
    ));
}

#[test]
fn a_variable_that_is_larger_than_any_ring_is_refused() {
    let value = "#".repeat(64 * 1024 + 1);
    assert!(matches!(environment(Some(value.into())).load(), Err(KeySourceError::TooLarge { most_bytes: 65_536, .. })));
}

#[test]
fn an_environment_is_not_watched_and_everything_else_is() {
    let folder = ScratchFolder::new();
    let closure = ClosureSource::new("nowhere", || Err("no".into()));
    assert!(!environment(None).may_change());
    assert!(FileSource::new(folder.path("ring")).may_change() && closure.may_change());
    assert!(DirectorySource::new(folder.path(".")).may_change());
}

#[test]
fn a_file_is_read_anew_each_time_and_through_a_link() {
    let folder = ScratchFolder::new();
    let ((first, first_id), (second, second_id)) = (key(), key());
    let source = FileSource::new(folder.path("ring"));
    folder.write("ring", &first);
    assert_eq!(source.load().unwrap().key_ids().next(), Some(first_id));
    folder.write("next", &format!("{second}\n"));
    fs::rename(folder.path("next"), folder.path("ring")).unwrap();
    assert_eq!(source.load().unwrap().key_ids().next(), Some(second_id));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("ring", folder.path("link")).unwrap();
        assert_eq!(FileSource::new(folder.path("link")).load().unwrap().key_ids().next(), Some(second_id));
    }
}

#[test]
fn a_file_that_is_missing_or_a_directory_is_named_with_what_the_system_says() {
    let folder = ScratchFolder::new();
    let missing = FileSource::new(folder.path("missing")).load().unwrap_err();
    assert!(missing.to_string().contains("/missing cannot be read: "), "{missing}");
    assert!(matches!(missing, KeySourceError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound));
    let directory = FileSource::new(folder.path(".")).load();
    assert!(matches!(directory, Err(KeySourceError::Read { .. })), "{directory:?}");
}

#[test]
fn a_file_of_exactly_the_bound_is_read_and_one_byte_more_is_refused() {
    let folder = ScratchFolder::new();
    let (text, id) = key();
    let source = FileSource::new(folder.path("ring"));
    for (bytes, is_read) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
        folder.write("ring", &format!("{text}\n{}", "#".repeat(bytes - text.len() - 1)));
        match source.load() {
            Ok(ring) => assert!(is_read && ring.key_ids().eq([id])),
            Err(error) => assert!(!is_read && matches!(error, KeySourceError::TooLarge { .. }), "{error}"),
        }
    }
}

#[test]
fn a_broken_ring_is_told_with_its_line_and_never_with_its_secret() {
    let folder = ScratchFolder::new();
    let (text, _) = key();
    let secret = text.rsplit('.').next().unwrap();
    let source = FileSource::new(folder.path("ring"));
    for broken in [format!("# one\n{text} seal-from=tomorrow\n"), format!("# one\nx{text}\n"), format!("\n{text}x\n")] {
        folder.write("ring", &broken);
        let problem = problem(&source, secret);
        assert!(problem.contains("the key file") && problem.contains("line 2"), "{problem}");
    }
    folder.write("ring", &format!("{text}\n{text}\n"));
    assert!(problem(&source, secret).contains("line 2"));
    fs::write(folder.path("ring"), b"\xff\xfe").unwrap();
    assert!(matches!(source.load(), Err(KeySourceError::NotText { .. })));
}

#[test]
fn a_closures_error_is_told_with_the_name_of_its_place() {
    let (text, id) = key();
    let source = ClosureSource::new("vault secret/session", || Err("permission denied".into()));
    assert_eq!(source.load().unwrap_err().to_string(), "vault secret/session: permission denied");
    assert!(!format!("{source:?}").contains("permission"));
    let source = ClosureSource::new("vault secret/session", move || Ok(KeyRing::from_text(&text)?));
    assert_eq!(source.load().unwrap().key_ids().next(), Some(id));
}
