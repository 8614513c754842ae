//! Opens the store that is to be swept.

use std::path::PathBuf;

use sealed_session::store::{FileStore, RecordStore};

use super::address::{Address, AddressArguments};
use super::engine::Engine;
use crate::failure::Failure;

pub(super) fn directory(directory: PathBuf) -> Result<Box<dyn RecordStore>, Failure> {
    // Never made: in a directory that was mistyped there is nothing to sweep.
    let store = FileStore::builder(directory).create_directory(false).open();
    Ok(Box::new(store.map_err(|error| Failure::Usage(error.to_string()))?))
}

pub(super) async fn database(
    engine: Engine,
    address: &AddressArguments,
    table: Option<String>,
) -> Result<Box<dyn RecordStore>, Failure> {
    engine.check_is_built()?;
    let address = address.read()?;
    engine.check_url(&address.url, &address.place)?;
    connect(engine, &address, table).await
}

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb")),
    expect(clippy::unused_async, unused_variables, reason = "a build without databases connects to none")
)]
async fn connect(engine: Engine, address: &Address, table: Option<String>) -> Result<Box<dyn RecordStore>, Failure> {
    match engine {
        #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
        Engine::Sqlite | Engine::Postgres | Engine::MySql => sql(address, table).await,
        #[cfg(feature = "mongodb")]
        Engine::MongoDb => mongodb(address, table).await,
        engine => Err(Failure::Usage(format!("{} is no database", engine.value()))),
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn sql(address: &Address, table: Option<String>) -> Result<Box<dyn RecordStore>, Failure> {
    use sealed_session::store::StoreError;
    use sealed_session_sqlx::{SqlPool, SqlStore};

    let pool = SqlPool::connect(&address.url).await.map_err(|error| match error {
        // No engine was asked yet.
        StoreError::Other { .. } => Failure::Usage(format!("{}: {error}", address.place)),
        error => Failure::NotDone(error.to_string()),
    })?;
    let builder = SqlStore::builder(pool);
    let builder = if let Some(table) = table { builder.table(table) } else { builder };
    Ok(Box::new(builder.build().map_err(|error| Failure::Usage(error.to_string()))?))
}

#[cfg(feature = "mongodb")]
async fn mongodb(address: &Address, collection: Option<String>) -> Result<Box<dyn RecordStore>, Failure> {
    use mongodb::Client;
    use sealed_session_mongodb::MongoDbStore;

    let unusable = |problem: &str| Failure::Usage(format!("{}: {problem}", address.place));
    // Security: what the driver says of a URL repeats parts of it.
    let client = Client::with_uri_str(&*address.url).await.map_err(|_| {
        unusable("MongoDB's driver takes no such URL; it is written mongodb://USER:PASSWORD@HOST/DATABASE, each part percent-encoded")
    })?;
    let database = client.default_database().ok_or_else(|| {
        unusable("the URL names no database: that stands behind the host, as in mongodb://HOST/DATABASE")
    })?;
    let builder = MongoDbStore::builder(&database);
    let builder = if let Some(collection) = collection { builder.collection(collection) } else { builder };
    Ok(Box::new(builder.build().map_err(|error| Failure::Usage(error.to_string()))?))
}
