//! Puts a new key file in the place of the old one: at once, and with mode 0600.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::file::{KeyFile, check_name, not_edited};
use crate::failure::Failure;

/// Names that are tried for the new file while it has not got the old one's.
const NAMES_MAX: u32 = 16;

impl KeyFile {
    /// Replaces the file by one with this text, which belongs to the same owner.
    pub(crate) fn replace(self, text: &str) -> Result<(), Failure> {
        let refused = |problem: &dyn std::fmt::Display| not_edited(&self.path, problem);
        let new = NewFile::beside(&self.path).map_err(|error| refused(&error))?;
        new.write(text).map_err(|error| refused(&error))?;
        new.give_to_owner_of(&self).map_err(|error| {
            refused(&format_args!("its owner cannot be kept: {error}; run the command as the owner"))
        })?;
        // What others wrote meanwhile without taking the lock, an editor for example, would be lost. Between this look and
        // the next step remain microseconds, which no file system closes.
        if !self.is_unchanged().map_err(|error| refused(&error))? {
            return Err(refused(&"it was changed meanwhile; look at it and try again"));
        }
        new.rename_to(&self.path).map_err(|error| refused(&error))?;
        flush_directory(&self.path)
    }
}

/// Makes a key file where there is none; looks whether it could, on a dry run.
pub(crate) fn create(path: &Path, text: &str, is_dry_run: bool) -> Result<(), Failure> {
    check_name(path)?;
    let refused = |error: io::Error| Failure::NotDone(format!("the key file {path:?} is not created: {error}"));
    if fs::symlink_metadata(path).is_ok() {
        return Err(refused(io::Error::other("there is one; leave out --create to add a key to it")));
    }
    if is_dry_run {
        return Ok(());
    }
    let new = NewFile::beside(path).map_err(refused)?;
    new.write(text).map_err(refused)?;
    // Other than a renaming, a link never takes the place of a file that has come meanwhile.
    fs::hard_link(&new.path, path).map_err(refused)?;
    drop(new);
    flush_directory(path)
}

/// A file that goes away unless it gets its name.
#[derive(Debug)]
struct NewFile {
    path: PathBuf,
    file: File,
}

impl NewFile {
    /// In the same directory, because a file is renamed at once only within its file system.
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
        for number in 0..NAMES_MAX {
            // Hidden, so that nobody who reads the whole directory takes it for a part of the ring.
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{number}.new", std::process::id()));
            let path = path.with_file_name(hidden);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            // Security: from its first instant on, and not once the keys are in it.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("files of earlier edits that were cut short stand beside it; remove them"))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(text.as_bytes())?;
        // A umask can take rights from the owner, too.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        // Before the name: or a crash could leave the name with an empty file behind it.
        file.sync_all()
    }

    /// The application must go on reading the file when root has edited it.
    #[cfg(unix)]
    fn give_to_owner_of(&self, old: &KeyFile) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt as _, fchown};

        let new = self.file.metadata()?;
        if new.gid() != old.metadata.gid() {
            // No right hangs on the group; keeping it is a courtesy.
            let _ = fchown(&self.file, None, Some(old.metadata.gid()));
        }
        if new.uid() == old.metadata.uid() { Ok(()) } else { fchown(&self.file, Some(old.metadata.uid()), None) }
    }

    #[cfg(not(unix))]
    fn give_to_owner_of(&self, _old: &KeyFile) -> io::Result<()> {
        Ok(())
    }

    fn rename_to(self, path: &Path) -> io::Result<()> {
        // The drop then finds nothing under the old name.
        fs::rename(&self.path, path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Security: what did not get its name holds keys that nobody looks after.
        let _ = fs::remove_file(&self.path);
    }
}

/// Or the name could lead to the old file again after a crash.
fn flush_directory(path: &Path) -> Result<(), Failure> {
    #[cfg(unix)]
    if let Some(directory) = path.parent() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| {
            Failure::NotDone(format!(
                "the key file {path:?} is edited, but its directory cannot be flushed: {error}; after a crash, look which \
                 of the two files is there"
            ))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process;

    use sealed_session::Key;

    use super::*;

    /// A key file in a directory of its own, and its text.
    fn key_file(name: &str) -> (PathBuf, String) {
        let directory = env::temp_dir().join(format!("sealed-session-{}-{name}", process::id()));
        fs::create_dir(&directory).unwrap();
        let (path, text) =
            (directory.join("session.keys"), format!("{}\n", *Key::generate().unwrap().to_secret_text()));
        fs::write(&path, &text).unwrap();
        (path, text)
    }

    /// That the directory holds this file alone, with this content; takes both away.
    #[track_caller]
    fn assert_alone(path: &Path, content: &str) {
        let directory = path.parent().unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), content);
        assert_eq!(fs::read_dir(directory).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let (path, _) = key_file("whole");
        KeyFile::locked(&path).unwrap().replace("new").unwrap();
        assert_alone(&path, "new");
    }

    #[test]
    fn what_others_wrote_into_the_file_meanwhile_is_not_lost() {
        let (path, text) = key_file("written");
        let locked = KeyFile::locked(&path).unwrap();
        let theirs = format!("{text}# theirs\n");
        fs::write(&path, &theirs).unwrap();
        let Err(Failure::NotDone(message)) = locked.replace("new") else { panic!("it was replaced") };
        assert!(message.contains("changed meanwhile"), "{message}");
        assert_alone(&path, &theirs);
    }

    #[test]
    fn a_file_that_others_put_there_meanwhile_is_not_lost_whatever_it_holds() {
        let (path, text) = key_file("renamed");
        let locked = KeyFile::locked(&path).unwrap();
        let other = path.with_extension("other");
        fs::write(&other, &text).unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(locked.replace("new").is_err());
        assert_alone(&path, &text);
    }

    #[test]
    fn a_file_that_was_taken_away_meanwhile_does_not_come_back() {
        let (path, _) = key_file("gone");
        let locked = KeyFile::locked(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(locked.replace("new").is_err());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        fs::remove_dir(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn two_edits_at_a_time_are_one_too_many() {
        let (path, text) = key_file("twice");
        let first = KeyFile::locked(&path).unwrap();
        assert!(matches!(KeyFile::locked(&path), Err(Failure::NotDone(_))));
        assert!(KeyFile::read(&path).is_ok());
        drop(first);
        assert!(KeyFile::locked(&path).is_ok());
        assert_alone(&path, &text);
    }

    #[test]
    fn a_new_file_never_takes_the_place_of_another() {
        let (path, text) = key_file("new");
        assert!(create(&path, "new", false).is_err());
        assert_alone(&path, &text);
    }

    #[test]
    fn what_an_edit_that_was_cut_short_left_beside_is_in_nobodys_way() {
        let (path, _) = key_file("left");
        let left = NewFile::beside(&path).unwrap().path.clone();
        fs::write(&left, "half").unwrap();
        KeyFile::locked(&path).unwrap().replace("new").unwrap();
        assert_eq!(fs::read_to_string(&left).unwrap(), "half");
        fs::remove_file(&left).unwrap();
        assert_alone(&path, "new");
    }
}
