//! What is asked of an engine, and the two versions of the trait that it may implement.

use super::entry::{Entry, Members};
use super::{STORE, TowerSessionsStore, TowerSessionsStoreBuilder};
use crate::error::StoreError;
use crate::store::StoreFuture;

/// `SessionStore`, whatever its version.
pub(super) trait Engine: Send + Sync {
    /// What stands under the id.
    fn load(&self, id: i128) -> StoreFuture<'_, Option<Members>>;

    /// Writes what is new, and answers under which id: another than was asked for where that was taken.
    fn create(&self, entry: Entry) -> StoreFuture<'_, i128>;

    /// Writes over what stands there. Where nothing does, some engines write it anew and others do nothing.
    fn save(&self, entry: Entry) -> StoreFuture<'_, ()>;

    fn delete(&self, id: i128) -> StoreFuture<'_, ()>;
}

/// What an engine says, without the type of either version.
enum Complaint {
    Backend(String),
    Encode(String),
    Decode,
}

fn store_error(complaint: Complaint) -> StoreError {
    match complaint {
        // These engines do not tell "away" from "refused". As away, it is looked for and tried once more.
        Complaint::Backend(message) => StoreError::unavailable(STORE, message),
        Complaint::Encode(message) => StoreError::other(STORE, message),
        // Security: a parser's message repeats what it read, and that may be an application's own session.
        Complaint::Decode => StoreError::Corrupt {
            store: STORE,
            problem: "the engine cannot read it; give the sessions a place that nothing else writes to".to_owned(),
        },
    }
}

/// An engine over one version of `tower-sessions-core`, and the builder's door to it.
macro_rules! engine_over {
    ($core:ident, $engine:ident, $builder:ident, $(#[$documentation:meta])+) => {
        struct $engine<S>(S);

        impl<S: $core::SessionStore> Engine for $engine<S> {
            fn load(&self, id: i128) -> StoreFuture<'_, Option<Members>> {
                Box::pin(async move {
                    let id = $core::session::Id(id);
                    let found = self.0.load(&id).await.map_err(Self::error)?;
                    Ok(found.map(|session| session.data))
                })
            }

            fn create(&self, entry: Entry) -> StoreFuture<'_, i128> {
                Box::pin(async move {
                    let mut session = Self::session(entry);
                    self.0.create(&mut session).await.map_err(Self::error)?;
                    Ok(session.id.0)
                })
            }

            fn save(&self, entry: Entry) -> StoreFuture<'_, ()> {
                Box::pin(async move { self.0.save(&Self::session(entry)).await.map_err(Self::error) })
            }

            fn delete(&self, id: i128) -> StoreFuture<'_, ()> {
                Box::pin(async move { self.0.delete(&$core::session::Id(id)).await.map_err(Self::error) })
            }
        }

        impl<S> $engine<S> {
            fn session(Entry { id, members, expiry_date }: Entry) -> $core::session::Record {
                $core::session::Record { id: $core::session::Id(id), data: members, expiry_date }
            }

            fn error(error: $core::session_store::Error) -> StoreError {
                use $core::session_store::Error;
                store_error(match error {
                    Error::Backend(message) => Complaint::Backend(message),
                    Error::Encode(message) => Complaint::Encode(message),
                    Error::Decode(_) => Complaint::Decode,
                })
            }
        }

        impl TowerSessionsStore {
            $(#[$documentation])+
            pub fn $builder(store: impl $core::SessionStore) -> TowerSessionsStoreBuilder {
                TowerSessionsStoreBuilder::over($engine(store))
            }
        }
    };
}

#[cfg(feature = "tower-sessions-core-0-14")]
engine_over! {
    tower_sessions_core_0_14, Core014, builder_over_core_0_14,
    /// A store over one of `tower-sessions-core` 0.14, on the system's clock unless the builder is told otherwise. Feature
    /// `tower-sessions-core-0-14`.
    ///
    /// ```
    /// use sealed_session::store::{Created, RecordStore, TowerSessionsStore};
    /// use sealed_session::{Record, RecordId, Timestamp};
    /// # use tower_sessions_memory_store_0_14 as tower_sessions;
    /// use tower_sessions::MemoryStore;
    ///
    /// # pollster::block_on(async {
    /// let store = TowerSessionsStore::builder_over_core_0_14(MemoryStore::default()).build();
    /// let (id, record) = (RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, b"sealed".to_vec()));
    /// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
    /// assert_eq!(store.load(&id).await?, Some(record));
    /// # Ok::<(), sealed_session::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tower-sessions-core-0-14")))]
}

#[cfg(feature = "tower-sessions-core-0-15")]
engine_over! {
    tower_sessions_core_0_15, Core015, builder_over_core_0_15,
    /// A store over one of `tower-sessions-core` 0.15, on the system's clock unless the builder is told otherwise. Feature
    /// `tower-sessions-core-0-15`.
    ///
    /// ```
    /// use sealed_session::store::{Created, RecordStore, TowerSessionsStore};
    /// use sealed_session::{Record, RecordId, Timestamp};
    /// # use tower_sessions_memory_store_0_15 as tower_sessions;
    /// use tower_sessions::MemoryStore;
    ///
    /// # pollster::block_on(async {
    /// let store = TowerSessionsStore::builder_over_core_0_15(MemoryStore::default()).build();
    /// let (id, record) = (RecordId::from_bytes([7; 16]), Record::new(1, Timestamp::MAX, b"sealed".to_vec()));
    /// assert_eq!(store.create(&id, record.clone()).await?, Created::Created);
    /// assert_eq!(store.load(&id).await?, Some(record));
    /// # Ok::<(), sealed_session::StoreError>(())
    /// # }).unwrap();
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tower-sessions-core-0-15")))]
}
