//! One of the directories among which the records are divided: its files, and the turns that writers take.
//!
//! A write: lock, compare, write the new state to the file `new`, `fsync`, rename it over the record, `fsync` the directory.
//! A process that ends in between leaves at most a file `new`, which the next writer or sweep removes; the operating system
//! takes its lock back. Readers need no lock: they open the old file or the new one, and keep what they opened.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::crash_points::{Step, reached};
use super::private_files;
use super::record_file::{self, Content, Head};
use crate::clock::Timestamp;
use crate::id::RecordId;
use crate::store::Record;

const LOCK: &str = "lock";
const NEW: &str = "new";
const NAME_LENGTH: usize = 32;

/// A directory of records.
pub(super) struct Shard {
    path: PathBuf,
}

/// While it is held, nobody else writes in this directory, in this process or another.
pub(super) struct Turn<'a> {
    shard: &'a Shard,
    // Closing the file gives the lock back.
    _lock: File,
}

impl Shard {
    /// The directory of the records whose ids begin with this byte.
    pub(super) fn new(directory: &Path, first_byte: u8) -> Self {
        Self { path: directory.join(format!("{first_byte:02x}")) }
    }

    pub(super) fn of(directory: &Path, id: &RecordId) -> Self {
        let [first_byte, ..] = *id.as_bytes();
        Self::new(directory, first_byte)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the directory, unless another does at the same time.
    pub(super) fn create(&self) -> io::Result<()> {
        private_files::create_directory(&self.path)
    }

    /// `None` when there is no such file.
    pub(super) fn read(&self, id: &RecordId) -> io::Result<Option<Content<Record>>> {
        open(&self.record_path(id))?.map(|(mut file, length)| record_file::read(&mut file, length)).transpose()
    }

    /// `None` when there is no such file.
    pub(super) fn read_head(&self, id: &RecordId) -> io::Result<Option<Content<Head>>> {
        read_head(&self.record_path(id))
    }

    /// Waits until nobody else writes here. `None` when the directory does not exist.
    pub(super) fn turn(&self) -> io::Result<Option<Turn<'_>>> {
        let lock = match private_files::open_or_create(&self.path.join(LOCK)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            lock => lock?,
        };
        while let Err(error) = lock.lock() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        reached(Step::Locked);
        Ok(Some(Turn { shard: self, _lock: lock }))
    }

    /// Removes up to `limit` expired records, and what a writer left that died; how many records.
    pub(super) fn sweep(&self, limit: usize, now: Timestamp) -> io::Result<usize> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            entries => entries?,
        };
        let mut expired = Vec::new();
        let mut has_new = false;
        for entry in entries {
            let name = entry?.file_name();
            has_new |= name == NEW;
            let path = self.path.join(&name);
            if expired.len() < limit && is_record_name(&name) && has_expired(&path, now)? {
                expired.push(path);
            }
        }
        if expired.is_empty() && !has_new {
            return Ok(0);
        }
        let Some(turn) = self.turn()? else { return Ok(0) };
        // Nobody writes now, so the file `new` is nobody's.
        turn.discard_new()?;
        let mut removed = 0_usize;
        for path in expired {
            // Another may have replaced or removed it in between.
            if has_expired(&path, now)? && remove(&path)? {
                removed = removed.saturating_add(1);
            }
        }
        Ok(removed)
    }

    fn record_path(&self, id: &RecordId) -> PathBuf {
        // Security: 32 hexadecimal digits, made from 16 bytes: no id leads out of the directory.
        self.path.join(id.to_hex())
    }
}

impl Turn<'_> {
    /// Puts the record into the place of what was there before, if anything.
    pub(super) fn replace(&self, id: &RecordId, record: &Record) -> io::Result<()> {
        let new = self.shard.path.join(NEW);
        let replaced = self.write_new(&new, record).and_then(|()| fs::rename(&new, self.shard.record_path(id)));
        if let Err(error) = replaced {
            // A disk that is full needs its room back; whether that succeeds changes nothing about the error.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        reached(Step::Renamed);
        self.sync()
    }

    /// Removes the record; removing one that does not exist is no error.
    ///
    /// Security: the disk knows it before the caller does, or a power failure would take a logout back.
    pub(super) fn remove(&self, id: &RecordId) -> io::Result<()> {
        if remove(&self.shard.record_path(id))? {
            reached(Step::Unlinked);
            self.sync()?;
        }
        Ok(())
    }

    fn write_new(&self, path: &Path, record: &Record) -> io::Result<()> {
        let mut file = match private_files::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.discard_new()?;
                private_files::create_new(path)?
            }
            file => file?,
        };
        reached(Step::FileCreated);
        record_file::write(&mut file, record)?;
        reached(Step::BytesWritten);
        file.sync_all()?;
        reached(Step::Synced);
        Ok(())
    }

    /// Removes what a writer left that died.
    fn discard_new(&self) -> io::Result<()> {
        remove(&self.shard.path.join(NEW)).map(|_| ())
    }

    fn sync(&self) -> io::Result<()> {
        private_files::sync_directory(&self.shard.path)?;
        reached(Step::DirectorySynced);
        Ok(())
    }
}

fn is_record_name(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        name.len() == NAME_LENGTH && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A file that is no record has not expired: nobody knows when it would.
fn has_expired(path: &Path, now: Timestamp) -> io::Result<bool> {
    Ok(matches!(read_head(path)?, Some(Content::Record(head)) if head.expires_at <= now))
}

fn read_head(path: &Path) -> io::Result<Option<Content<Head>>> {
    open(path)?.map(|(mut file, length)| record_file::read_head(&mut file, length)).transpose()
}

/// The file and its length.
fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => {
            let file = file?;
            let length = file.metadata()?.len();
            Ok(Some((file, length)))
        }
    }
}

/// Whether the file was there.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}
