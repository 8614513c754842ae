//! The calls of the store, blocking, over its directories.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::crash_points::{Step, reached};
use super::private_files;
use super::record_file::Content;
use super::shard::{Shard, Turn};
use crate::clock::{Clock, Timestamp};
use crate::error::StoreError;
use crate::id::RecordId;
use crate::store::{Created, Record, Updated};

const STORE: &str = "file";
/// An empty file that tells the directory from one in whose place it is mounted; its name is that of the layout.
const MARKER: &str = "sealed-session-records-1";

/// Records below a directory.
pub(super) struct Records {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Records {
    /// Makes the directory only when asked to.
    pub(super) fn open(directory: PathBuf, clock: Arc<dyn Clock>, create: bool) -> Result<Self, StoreError> {
        let records = Self { directory, clock };
        let said = |error| records.unavailable(&records.directory, &error);
        if create {
            private_files::create_directory(&records.directory).map_err(said)?;
        } else {
            records.check_marker()?;
        }
        // Security: whoever may write there may put old records back, and so undo logouts.
        if private_files::is_writable_by_others(&records.directory).map_err(said)? {
            let problem = format!(
                "{} may be written by other users than its owner: `chmod 700` it, or choose another directory",
                records.directory.display()
            );
            return Err(StoreError::other(STORE, problem));
        }
        if create {
            records.mark().map_err(said)?;
        }
        Ok(records)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn load(&self, id: &RecordId) -> Result<Option<Record>, StoreError> {
        let shard = Shard::of(&self.directory, id);
        let read = shard.read(id).map_err(|error| self.unavailable(shard.path(), &error))?;
        let record = self.intact(&shard, read)?;
        Ok(record.filter(|record| self.clock.now() < record.expires_at))
    }

    pub(super) fn create(&self, id: &RecordId, record: &Record) -> Result<Created, StoreError> {
        let shard = Shard::of(&self.directory, id);
        let turn = match self.turn(&shard)? {
            Some(turn) => turn,
            None => self.first_turn(&shard)?,
        };
        if self.living_version(&shard, id)?.is_some() {
            return Ok(Created::Exists);
        }
        self.replace(&shard, &turn, id, record)?;
        Ok(Created::Created)
    }

    pub(super) fn update(&self, id: &RecordId, record: &Record, expected_version: u64) -> Result<Updated, StoreError> {
        let shard = Shard::of(&self.directory, id);
        let Some(turn) = self.turn(&shard)? else { return Ok(Updated::Missing) };
        match self.living_version(&shard, id)? {
            None => return Ok(Updated::Missing),
            Some(version) if version != expected_version => return Ok(Updated::Conflict),
            Some(_) => self.replace(&shard, &turn, id, record)?,
        }
        Ok(Updated::Updated)
    }

    pub(super) fn touch(&self, id: &RecordId, expires_at: Timestamp) -> Result<bool, StoreError> {
        let shard = Shard::of(&self.directory, id);
        let Some(turn) = self.turn(&shard)? else { return Ok(false) };
        let Some(mut record) = self.load(id)? else { return Ok(false) };
        if record.expires_at < expires_at {
            record.expires_at = expires_at;
            self.replace(&shard, &turn, id, &record)?;
        }
        Ok(true)
    }

    /// Removes what is damaged, too.
    pub(super) fn destroy(&self, id: &RecordId) -> Result<(), StoreError> {
        let shard = Shard::of(&self.directory, id);
        let Some(turn) = self.turn(&shard)? else { return Ok(()) };
        turn.remove(id).map_err(|error| self.unavailable(shard.path(), &error))
    }

    pub(super) fn sweep(&self, first_byte: u8, limit: usize) -> Result<usize, StoreError> {
        let shard = Shard::new(&self.directory, first_byte);
        shard.sweep(limit, self.clock.now()).map_err(|error| self.unavailable(shard.path(), &error))
    }

    /// `None` when nothing was ever written there.
    fn turn<'a>(&self, shard: &'a Shard) -> Result<Option<Turn<'a>>, StoreError> {
        let turn = shard.turn().map_err(|error| self.unavailable(shard.path(), &error))?;
        if turn.is_none() {
            self.check_marker()?;
        }
        Ok(turn)
    }

    fn first_turn<'a>(&self, shard: &'a Shard) -> Result<Turn<'a>, StoreError> {
        shard.create().map_err(|error| self.unavailable(shard.path(), &error))?;
        let removed = || self.unavailable(shard.path(), &io::Error::from(ErrorKind::NotFound));
        self.turn(shard)?.ok_or_else(removed)
    }

    fn replace(&self, shard: &Shard, turn: &Turn<'_>, id: &RecordId, record: &Record) -> Result<(), StoreError> {
        reached(Step::Compared);
        turn.replace(id, record).map_err(|error| self.unavailable(shard.path(), &error))
    }

    fn living_version(&self, shard: &Shard, id: &RecordId) -> Result<Option<u64>, StoreError> {
        let read = shard.read_head(id).map_err(|error| self.unavailable(shard.path(), &error))?;
        let head = self.intact(shard, read)?;
        Ok(head.filter(|head| self.clock.now() < head.expires_at).map(|head| head.version))
    }

    /// What was read, unless it is damaged. That nothing was there is believed only while the directory is.
    fn intact<T>(&self, shard: &Shard, read: Option<Content<T>>) -> Result<Option<T>, StoreError> {
        match read {
            Some(Content::Record(read)) => Ok(Some(read)),
            None => self.check_marker().map(|()| None),
            // The id stays unnamed: it belongs in no log.
            Some(Content::Damaged(problem)) => Err(StoreError::Corrupt {
                store: STORE,
                problem: format!("a file in {} is {problem}; `destroy` removes it", shard.path().display()),
            }),
        }
    }

    /// Security: a directory that is gone, or no longer mounted, holds no records. That is an outage, and must not pass for
    /// everybody's logout.
    fn check_marker(&self) -> Result<(), StoreError> {
        let marker = self.directory.join(MARKER);
        fs::metadata(&marker).map(|_| ()).map_err(|error| self.unavailable(&marker, &error))
    }

    /// Makes the marker unless it is there.
    fn mark(&self) -> io::Result<()> {
        private_files::open_or_create(&self.directory.join(MARKER))?;
        private_files::sync_directory(&self.directory)
    }

    fn unavailable(&self, path: &Path, error: &io::Error) -> StoreError {
        StoreError::unavailable(STORE, format!("{}: {error}", path.display()))
    }
}
