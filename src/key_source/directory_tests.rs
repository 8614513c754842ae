//! What a directory of key files is, and what is read of it while it changes. With links, as Kubernetes mounts a secret.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;

use super::directory::read_all;
use super::test_folder::ScratchFolder;
use super::*;
use crate::clock::Timestamp;
use crate::id::KeyId;
use crate::key::Key;

/// The text of a new key, and its id.
fn key() -> (String, KeyId) {
    let key = Key::generate().unwrap();
    (key.to_secret_text().to_string(), key.id())
}

/// The ids of a ring, the one that seals first.
fn ids(ring: &KeyRing) -> Vec<KeyId> {
    assert_eq!(ring.sealing_key_id(Timestamp::default()), ring.key_ids().next());
    ring.key_ids().collect()
}

/// Puts files behind `..data`, as the kubelet does: a new directory, a link to it, and a rename over the link before.
fn mount(folder: &ScratchFolder, state: &str, files: &[(&str, &str)]) {
    for (name, content) in files {
        folder.write(&format!("..{state}/{name}"), content);
        let link = folder.path(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(format!("..data/{name}"), link).unwrap();
        }
    }
    symlink(format!("..{state}"), folder.path("..data_tmp")).unwrap();
    fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
}

fn source(folder: &ScratchFolder) -> DirectorySource {
    DirectorySource::new(folder.path("."))
}

#[test]
fn the_files_of_a_plain_directory_are_one_ring_in_the_order_of_their_names() {
    let folder = ScratchFolder::new();
    let keys: [_; 9] = std::array::from_fn(|_| key());
    // Made in another order, and without a newline at the end of each second one.
    for position in [4, 0, 8, 2, 6, 1, 7, 3, 5] {
        let end = if position % 2 == 0 { "" } else { "\n" };
        folder.write(&format!("{position}-key"), &format!("{}{end}", keys[position].0));
    }
    let (hidden, _) = key();
    folder.write(".3-hidden", &hidden);
    folder.write("40-folder/key", &hidden);
    let in_order: Vec<_> = keys.iter().map(|(_, id)| *id).collect();
    // Those that only open stand in the order of their ids, so which file seals is what the order decides.
    let ring = source(&folder).load().unwrap();
    assert_eq!((ids(&ring)[0], ring.key_ids().count()), (in_order[0], 9));
    for (position, id) in in_order.iter().enumerate().skip(1) {
        fs::remove_file(folder.path(&format!("{}-key", position - 1))).unwrap();
        assert_eq!(ids(&source(&folder).load().unwrap())[0], *id);
    }
}

#[test]
fn a_mounted_secret_is_read_behind_its_link_and_anew_after_a_swap() {
    let folder = ScratchFolder::new();
    let ((first, first_id), (second, second_id)) = (key(), key());
    mount(&folder, "2026_a", &[("a", &first)]);
    assert_eq!(ids(&source(&folder).load().unwrap()), [first_id]);
    mount(&folder, "2026_b", &[("a", &second), ("b", &first)]);
    assert_eq!(ids(&source(&folder).load().unwrap()), [second_id, first_id]);
    // A link of a key that the secret has no more is left behind for a moment, and is no file of this state.
    mount(&folder, "2026_c", &[("b", &second)]);
    assert_eq!(ids(&source(&folder).load().unwrap()), [second_id]);
}

#[test]
fn a_swap_in_the_middle_of_a_reading_is_read_once_more_from_its_new_state() {
    let ((old, _), (new, new_id), (newer, newer_id)) = (key(), key(), key());
    // The state that was read may be whole, half removed or gone when the swap is seen.
    for removed in ["", "..2026_a/b", "..2026_a"] {
        let folder = ScratchFolder::new();
        mount(&folder, "2026_a", &[("a", &old), ("b", &new)]);
        let is_swapped = Cell::new(false);
        let ring = source(&folder).load_by(|directory| {
            let is_first = !is_swapped.replace(true);
            let before = is_first.then(|| read_all(directory));
            if is_first {
                mount(&folder, "2026_b", &[("a", &new), ("b", &newer)]);
                if removed == "..2026_a/b" {
                    fs::remove_file(folder.path(removed)).unwrap();
                } else if !removed.is_empty() {
                    fs::remove_dir_all(folder.path(removed)).unwrap();
                }
            }
            // Read before the swap, or after a part was removed.
            before.filter(|_| removed.is_empty()).unwrap_or_else(|| read_all(directory))
        });
        assert_eq!(ids(&ring.unwrap()), [new_id, newer_id], "{removed}");
    }
}

#[test]
fn a_directory_that_is_swapped_with_every_reading_is_an_error_in_the_end() {
    let folder = ScratchFolder::new();
    let (text, _) = key();
    mount(&folder, "2026_0", &[("a", &text)]);
    let readings = Cell::new(0);
    let outcome = source(&folder).load_by(|directory| {
        readings.set(readings.get() + 1);
        mount(&folder, &format!("2026_{}", readings.get()), &[("a", &text)]);
        read_all(directory)
    });
    assert!(outcome.unwrap_err().to_string().contains("replaced again and again"));
    assert_eq!(readings.get(), 3);
}

#[test]
fn a_file_that_cannot_be_looked_at_is_an_error_and_not_a_smaller_ring() {
    let folder = ScratchFolder::new();
    let (text, _) = key();
    folder.write("a", &text);
    symlink("nowhere", folder.path("b")).unwrap();
    let error = source(&folder).load().unwrap_err();
    assert!(matches!(&error, KeySourceError::Read { place, .. } if place.ends_with("/b")), "{error}");
}

#[test]
fn a_directory_that_is_missing_empty_or_a_file_is_refused() {
    let folder = ScratchFolder::new();
    folder.write("file", "");
    for name in ["missing", "file"] {
        let outcome = DirectorySource::new(folder.path(name)).load();
        assert!(matches!(outcome, Err(KeySourceError::Read { .. })), "{name}: {outcome:?}");
    }
    fs::remove_file(folder.path("file")).unwrap();
    let outcome = source(&folder).load();
    assert!(matches!(outcome, Err(KeySourceError::Ring { source: crate::error::KeyError::EmptyRing, .. })));
    // A link that leads nowhere is no reason to read what stands around it.
    folder.write("a", &key().0);
    symlink("..2026_gone", folder.path("..data")).unwrap();
    assert!(matches!(source(&folder).load(), Err(KeySourceError::Read { .. })));
}

#[test]
fn an_error_names_the_file_and_the_line_in_it() {
    let folder = ScratchFolder::new();
    let ((first, _), (second, _)) = (key(), key());
    folder.write("a", &format!("# one\n{first}\n\n"));
    for (content, expected) in [
        (format!("\n{second} seal-from=soon\n"), "/b: line 2 of the ring"),
        (first.clone(), "/b: line 1 of the ring"),
        (format!("{second}\n\n\nx"), "/b: line 4 of the ring"),
    ] {
        folder.write("b", &content);
        let error = source(&folder).load().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    fs::write(folder.path("b"), b"\xff").unwrap();
    assert!(matches!(source(&folder).load(), Err(KeySourceError::NotText { place }) if place.ends_with("/b")));
}

#[test]
fn all_files_together_are_bounded() {
    let folder = ScratchFolder::new();
    let (text, id) = key();
    folder.write("a", &text);
    // A newline is added behind each file.
    let room = 64 * 1024 - text.len() - 2;
    folder.write("b", &"#".repeat(room));
    assert_eq!(ids(&source(&folder).load().unwrap()), [id]);
    folder.write("b", &"#".repeat(room + 1));
    assert!(matches!(source(&folder).load(), Err(KeySourceError::TooLarge { .. })));
}
