//! The six calls and the table's creation, the same for every engine.

use std::sync::Arc;

use sqlx::query::Query;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Pool, Row as _, Type};

use crate::engine::{Engine, ErrorClass, Statements};
use crate::failure::{class, corrupt, store_error};
use crate::limits::{RETRIES_MAX, SWEEP_BATCH_ROWS};
use crate::table::TableName;
use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreError, StoreFuture, Updated};
use sealed_session::{Clock, Timestamp};

/// A table behind a pool, whatever its engine.
pub(crate) trait Table: RecordStore {
    fn create_table(&self) -> StoreFuture<'_, ()>;
}

/// A table of one engine.
pub(crate) struct EngineTable<DB: Engine> {
    pool: Pool<DB>,
    statements: Statements,
    clock: Arc<dyn Clock>,
}

impl<DB: Engine> EngineTable<DB> {
    pub(crate) fn new(pool: Pool<DB>, table: &TableName, clock: Arc<dyn Clock>) -> Self {
        Self { pool, statements: DB::statements(table), clock }
    }

    fn now(&self) -> i64 {
        seconds(self.clock.now())
    }
}

type Statement<DB> = Query<'static, DB, <DB as sqlx::Database>::Arguments>;

impl<DB> EngineTable<DB>
where
    DB: Engine<Arguments: IntoArguments<DB>>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'v> i64: Type<DB> + Encode<'v, DB> + Decode<'v, DB>,
    usize: ColumnIndex<DB::Row>,
{
    /// Runs a statement that returns no rows, once more where the engine gave it up for another.
    async fn execute(&self, statement: impl Fn() -> Statement<DB> + Send) -> Result<DB::QueryResult, StoreError> {
        let mut retries = 0;
        loop {
            match statement().execute(&self.pool).await {
                Ok(result) => return Ok(result),
                Err(error) if class::<DB>(&error) == ErrorClass::TryAgain && retries < RETRIES_MAX => retries += 1,
                Err(error) => return Err(store_error(error, &self.pool)),
            }
        }
    }

    async fn fetch(&self, statement: Statement<DB>) -> Result<Option<DB::Row>, StoreError> {
        statement.fetch_optional(&self.pool).await.map_err(|error| store_error(error, &self.pool))
    }
}

impl<DB> RecordStore for EngineTable<DB>
where
    DB: Engine<Arguments: IntoArguments<DB>>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'v> i64: Type<DB> + Encode<'v, DB> + Decode<'v, DB>,
    for<'v> Vec<u8>: Type<DB> + Decode<'v, DB>,
    for<'v> &'v [u8]: Type<DB> + Encode<'v, DB>,
    usize: ColumnIndex<DB::Row>,
{
    fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
        Box::pin(async move {
            let load = sqlx::query(self.statements.load.clone()).bind(key(id)).bind(self.now());
            let Some(row) = self.fetch(load).await? else { return Ok(None) };
            let version: i64 = row.try_get(0).map_err(|error| store_error(error, &self.pool))?;
            let expires_at: i64 = row.try_get(1).map_err(|error| store_error(error, &self.pool))?;
            let bytes: Vec<u8> = row.try_get(2).map_err(|error| store_error(error, &self.pool))?;
            Ok(Some(Record::new(version.cast_unsigned(), timestamp::<DB>(expires_at)?, bytes)))
        })
    }

    fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
        Box::pin(async move {
            let now = self.now();
            let create = || {
                let mut create = sqlx::query(self.statements.create.clone())
                    .bind(key(id))
                    .bind(record.version.cast_signed())
                    .bind(seconds(record.expires_at))
                    .bind(record.bytes.as_slice());
                for _ in 0..DB::NOWS_IN_CREATE {
                    create = create.bind(now);
                }
                create
            };
            let result = self.execute(create).await?;
            Ok(if DB::has_created(&result) { Created::Created } else { Created::Exists })
        })
    }

    /// A second statement tells a conflict from a missing record, only where the first one found nothing to write. One
    /// statement could not: what it reads beside its write is older than what the write has waited for, and it would
    /// call a record in conflict that was destroyed meanwhile.
    fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected_version: u64) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            let now = self.now();
            let update = || {
                sqlx::query(self.statements.update.clone())
                    .bind(record.version.cast_signed())
                    .bind(seconds(record.expires_at))
                    .bind(record.bytes.as_slice())
                    .bind(expected_version.cast_signed())
                    .bind(key(id))
                    .bind(now)
            };
            for _ in 0..=RETRIES_MAX {
                if DB::rows(&self.execute(update).await?) > 0 {
                    return Ok(Updated::Updated);
                }
                let version = sqlx::query(self.statements.version.clone()).bind(key(id)).bind(now);
                let Some(row) = self.fetch(version).await? else { return Ok(Updated::Missing) };
                let version: i64 = row.try_get(0).map_err(|error| store_error(error, &self.pool))?;
                if version.cast_unsigned() != expected_version {
                    break;
                }
                // The record came to be, in the expected version, between the two statements.
            }
            Ok(Updated::Conflict)
        })
    }

    fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let now = self.now();
            let touch = || sqlx::query(self.statements.touch.clone()).bind(seconds(expires_at)).bind(key(id)).bind(now);
            Ok(DB::rows(&self.execute(touch).await?) > 0)
        })
    }

    fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.execute(|| sqlx::query(self.statements.destroy.clone()).bind(key(id))).await?;
            Ok(())
        })
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(async move {
            let now = self.now();
            let mut removed = 0_usize;
            while removed < limit {
                let batch = SWEEP_BATCH_ROWS.min(limit.saturating_sub(removed));
                let rows = i64::try_from(batch).unwrap_or(i64::MAX);
                let sweep = || sqlx::query(self.statements.sweep.clone()).bind(now).bind(rows);
                let swept = usize::try_from(DB::rows(&self.execute(sweep).await?)).unwrap_or(usize::MAX);
                removed = removed.saturating_add(swept);
                if swept < batch {
                    break;
                }
            }
            Ok(removed)
        })
    }
}

impl<DB> Table for EngineTable<DB>
where
    Self: RecordStore,
    DB: Engine<Arguments: IntoArguments<DB>>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'v> i64: Type<DB> + Encode<'v, DB> + Decode<'v, DB>,
    usize: ColumnIndex<DB::Row>,
{
    fn create_table(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            for statement in &self.statements.create_table {
                self.execute(|| sqlx::query(statement.clone())).await?;
            }
            Ok(())
        })
    }
}

fn key(id: &RecordId) -> &[u8] {
    id.as_bytes()
}

/// SQL's numbers have a sign; 40 bits have room below it.
fn seconds(instant: Timestamp) -> i64 {
    instant.unix_seconds().cast_signed()
}

fn timestamp<DB: Engine>(seconds: i64) -> Result<Timestamp, StoreError> {
    let instant = Timestamp::from_unix_seconds(seconds.cast_unsigned());
    if instant.unix_seconds() == seconds.cast_unsigned() {
        return Ok(instant);
    }
    Err(corrupt::<DB>(format!("`expires_at` is {seconds}, and no second of 40 bits")))
}
