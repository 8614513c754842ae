//! The store over those of `tower-sessions`: the contract over engines that do what such engines do, and what it makes of an
//! engine that holds something else or fails. Once for each version of the traits.

/// The rules for one version of `tower-sessions-core`, and its memory store.
macro_rules! rules_over {
    ($version:ident, $core:ident, $memory:ident, $builder:ident) => {
        pub(crate) mod $version {
            use std::collections::HashMap;
            use std::fmt::{self, Debug, Formatter};
            use std::sync::atomic::{AtomicU64, Ordering};
            use std::sync::{Arc, Mutex};

            use $core::session::{Id, Record as Session};
            use $core::{SessionStore, session_store};
            use $memory::MemoryStore;
            use async_trait::async_trait;
            use pollster::block_on;
            use sealed_session::store::conformance::support::{after, create, fresh_id, record};
            use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
            use sealed_session::store::{Created, TowerSessionsStore, Updated};
            use sealed_session::{Clock, ManualClock, Record, RecordId, RecordStore, StoreError, SystemClock, Timestamp};
            use time::OffsetDateTime;

            use crate::alternating::Alternating;

            /// What engines do differently.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            enum Habit {
                /// `save` of an unknown id stores nothing: the Redis store.
                SavesOnlyWhatIsThere,
                /// `create` is the trait's own, which writes over what is there.
                CreatesByDefault,
            }

            #[derive(Clone, Debug)]
            struct Engine {
                sessions: MemoryStore,
                habit: Habit,
            }

            #[async_trait]
            impl SessionStore for Engine {
                async fn create(&self, session: &mut Session) -> session_store::Result<()> {
                    match self.habit {
                        Habit::CreatesByDefault => self.sessions.save(session).await,
                        Habit::SavesOnlyWhatIsThere => self.sessions.create(session).await,
                    }
                }

                async fn save(&self, session: &Session) -> session_store::Result<()> {
                    if self.habit == Habit::SavesOnlyWhatIsThere && self.sessions.load(&session.id).await?.is_none() {
                        return Ok(());
                    }
                    self.sessions.save(session).await
                }

                async fn load(&self, id: &Id) -> session_store::Result<Option<Session>> {
                    self.sessions.load(id).await
                }

                async fn delete(&self, id: &Id) -> session_store::Result<()> {
                    self.sessions.delete(id).await
                }
            }

            fn clock() -> ManualClock {
                ManualClock::at_unix_seconds(START_UNIX_SECONDS)
            }

            fn store_over(engine: impl SessionStore, clock: &ManualClock) -> TowerSessionsStore {
                TowerSessionsStore::$builder(engine).clock(clock.clone()).build()
            }

            /// Two clones, each of which is asked every second time.
            fn with_store_over(
                engine: impl SessionStore,
                rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>),
            ) {
                let clock = clock();
                let store = store_over(engine, &clock);
                rule(&Alternating::between(store.clone(), store), &clock, &Runner::new(|work| block_on(work)));
            }

            pub(crate) fn with_the_memory_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
                with_store_over(MemoryStore::default(), rule);
            }

            pub(crate) fn with_one_that_saves_only_what_is_there(
                rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>),
            ) {
                let habit = Habit::SavesOnlyWhatIsThere;
                with_store_over(Engine { sessions: MemoryStore::default(), habit }, rule);
            }

            pub(crate) fn with_one_that_creates_by_default(
                rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>),
            ) {
                with_store_over(Engine { sessions: MemoryStore::default(), habit: Habit::CreatesByDefault }, rule);
            }

            fn engine_id(id: &RecordId) -> Id {
                Id(i128::from_le_bytes(*id.as_bytes()))
            }

            #[test]
            fn a_record_stands_under_its_own_id_as_four_texts() {
                let (engine, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let store = store_over(engine.clone(), &clock);
                block_on(create(&store, &id, &Record::new(7, after(&clock, 60), b"sealed".to_vec())));
                let session = block_on(engine.load(&engine_id(&id))).unwrap().unwrap();
                let expected = [
                    ("record_id", id.to_hex()),
                    ("version", "7".to_owned()),
                    ("expires_at", (START_UNIX_SECONDS + 60).to_string()),
                    ("sealed", "c2VhbGVk".to_owned()),
                ];
                let expected: HashMap<_, _> =
                    expected.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
                assert_eq!(session.data, expected);
            }

            #[test]
            fn the_engine_keeps_a_record_a_minute_longer_by_the_systems_clock() {
                let (engine, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let store = store_over(engine.clone(), &clock);
                let kept_until = || {
                    let session = block_on(engine.load(&engine_id(&id))).unwrap().unwrap();
                    u64::try_from(session.expiry_date.unix_timestamp()).unwrap()
                };
                let system = || SystemClock.now().unix_seconds();
                let begun = system();
                block_on(create(&store, &id, &record(&clock, 1, 1000)));
                assert!((begun + 1060..=system() + 1060).contains(&kept_until()));
                assert!(block_on(store.touch(&id, after(&clock, 2000))).unwrap());
                assert!((begun + 2060..=system() + 2060).contains(&kept_until()));
                assert_eq!(block_on(store.update(&id, record(&clock, 2, 500), 1)).unwrap(), Updated::Updated);
                assert!((begun + 560..=system() + 560).contains(&kept_until()));
            }

            #[test]
            fn what_the_engine_counts_as_expired_and_still_holds_gives_its_id_free() {
                let (engine, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let expired =
                    Session { id: engine_id(&id), data: HashMap::new(), expiry_date: OffsetDateTime::UNIX_EPOCH };
                block_on(engine.save(&expired)).unwrap();
                let (store, given) = (store_over(engine, &clock), record(&clock, 1, 60));
                block_on(create(&store, &id, &given));
                assert_eq!(block_on(store.load(&id)).unwrap(), Some(given));
            }

            /// Shows nothing, and draws another id for whatever is created: another process is always faster.
            #[derive(Clone, Debug, Default)]
            struct Taken(Arc<AtomicU64>);

            impl Taken {
                const DRAWN: Id = Id(7);
            }

            #[async_trait]
            impl SessionStore for Taken {
                async fn create(&self, session: &mut Session) -> session_store::Result<()> {
                    session.id = Self::DRAWN;
                    self.0.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                }

                async fn save(&self, _: &Session) -> session_store::Result<()> {
                    panic!("there is nothing to write over");
                }

                async fn load(&self, _: &Id) -> session_store::Result<Option<Session>> {
                    Ok(None)
                }

                async fn delete(&self, id: &Id) -> session_store::Result<()> {
                    if *id == Self::DRAWN {
                        self.0.fetch_sub(1, Ordering::Relaxed);
                    }
                    Ok(())
                }
            }

            #[test]
            fn a_record_that_was_written_under_a_drawn_id_is_removed_and_the_id_said_to_be_taken() {
                let (engine, clock) = (Taken::default(), clock());
                let store = store_over(engine.clone(), &clock);
                assert_eq!(block_on(store.create(&fresh_id(), record(&clock, 1, 60))).unwrap(), Created::Exists);
                assert_eq!(engine.0.load(Ordering::Relaxed), 0, "what was written under the drawn id is still there");
            }

            /// Another process does something in the moment before the next write.
            struct Raced {
                sessions: MemoryStore,
                meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
            }

            impl Raced {
                fn by(sessions: &MemoryStore, meanwhile: impl FnOnce() + Send + 'static) -> Self {
                    Self { sessions: sessions.clone(), meanwhile: Mutex::new(Some(Box::new(meanwhile))) }
                }

                fn let_it_happen(&self) {
                    let meanwhile = self.meanwhile.lock().unwrap().take();
                    if let Some(meanwhile) = meanwhile {
                        meanwhile();
                    }
                }
            }

            impl Debug for Raced {
                fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    f.write_str("Raced")
                }
            }

            #[async_trait]
            impl SessionStore for Raced {
                async fn create(&self, session: &mut Session) -> session_store::Result<()> {
                    self.let_it_happen();
                    self.sessions.create(session).await
                }

                async fn save(&self, session: &Session) -> session_store::Result<()> {
                    self.let_it_happen();
                    self.sessions.save(session).await
                }

                async fn load(&self, id: &Id) -> session_store::Result<Option<Session>> {
                    self.sessions.load(id).await
                }

                async fn delete(&self, id: &Id) -> session_store::Result<()> {
                    self.sessions.delete(id).await
                }
            }

            #[test]
            fn a_record_that_another_process_creates_in_the_same_moment_stays() {
                let (sessions, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let (another, anothers) = (store_over(sessions.clone(), &clock), record(&clock, 9, 60));
                let given = anothers.clone();
                let creates = move || assert_eq!(block_on(another.create(&id, given)).unwrap(), Created::Created);
                let store = store_over(Raced::by(&sessions, creates), &clock);
                assert_eq!(block_on(store.create(&id, record(&clock, 1, 60))).unwrap(), Created::Exists);
                assert_eq!(block_on(store.load(&id)).unwrap(), Some(anothers));
            }

            // What is lost where there is no compare-and-set. The guide says so; a mend of it would end these two.

            #[test]
            fn of_two_processes_that_update_at_once_the_later_wins_and_both_are_told_that_they_did() {
                let (sessions, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let (another, anothers) = (store_over(sessions.clone(), &clock), record(&clock, 2, 90));
                block_on(create(&another, &id, &record(&clock, 1, 60)));
                let updates = move || assert_eq!(block_on(another.update(&id, anothers, 1)).unwrap(), Updated::Updated);
                let store = store_over(Raced::by(&sessions, updates), &clock);
                let ours = record(&clock, 2, 60);
                assert_eq!(block_on(store.update(&id, ours.clone(), 1)).unwrap(), Updated::Updated);
                assert_eq!(block_on(store.load(&id)).unwrap(), Some(ours));
            }

            #[test]
            fn an_update_that_meets_the_destroy_of_another_process_brings_the_record_back() {
                let (sessions, clock, id) = (MemoryStore::default(), clock(), fresh_id());
                let another = store_over(sessions.clone(), &clock);
                block_on(create(&another, &id, &record(&clock, 1, 60)));
                let store = store_over(Raced::by(&sessions, move || block_on(another.destroy(&id)).unwrap()), &clock);
                let next = record(&clock, 2, 60);
                assert_eq!(block_on(store.update(&id, next.clone(), 1)).unwrap(), Updated::Updated);
                assert_eq!(block_on(store.load(&id)).unwrap(), Some(next));
            }

            /// Every call but `destroy`, each of which must say this of a record.
            fn assert_each_call(store: &TowerSessionsStore, clock: &ManualClock, id: &RecordId, is: fn(&StoreError) -> bool) {
                let errors = [
                    block_on(store.load(id)).map(|_| ()),
                    block_on(store.create(id, record(clock, 1, 60))).map(|_| ()),
                    block_on(store.update(id, record(clock, 2, 60), 1)).map(|_| ()),
                    block_on(store.touch(id, after(clock, 90))).map(|_| ()),
                ];
                for error in errors {
                    assert!(is(&error.as_ref().unwrap_err()), "{error:?}");
                }
            }

            #[test]
            fn anothers_session_under_the_id_is_corrupt_until_it_is_destroyed() {
                let (engine, clock, id, other) = (MemoryStore::default(), clock(), fresh_id(), fresh_id());
                let store = store_over(engine.clone(), &clock);
                block_on(create(&store, &other, &record(&clock, 1, 60)));
                let of_another = block_on(engine.load(&engine_id(&other))).unwrap().unwrap().data;
                let of_an_application = HashMap::from([("user".to_owned(), "alice-and-her-secret".into())]);
                for data in [HashMap::new(), of_an_application, of_another] {
                    let expiry_date = Timestamp::MAX.to_date_time();
                    block_on(engine.save(&Session { id: engine_id(&id), data, expiry_date })).unwrap();
                    assert_each_call(&store, &clock, &id, |error| {
                        let is_corrupt = matches!(error, StoreError::Corrupt { store: "tower-sessions", .. });
                        is_corrupt && !error.to_string().contains("secret")
                    });
                    block_on(store.destroy(&id)).unwrap();
                    assert_eq!(block_on(store.load(&id)).unwrap(), None);
                }
            }

            /// Fails each call.
            #[derive(Debug)]
            struct Failing(fn(String) -> session_store::Error);

            #[async_trait]
            impl SessionStore for Failing {
                async fn create(&self, _: &mut Session) -> session_store::Result<()> {
                    Err(self.0("why it failed".to_owned()))
                }
                async fn save(&self, _: &Session) -> session_store::Result<()> {
                    Err(self.0("why it failed".to_owned()))
                }
                async fn load(&self, _: &Id) -> session_store::Result<Option<Session>> {
                    Err(self.0("why it failed".to_owned()))
                }
                async fn delete(&self, _: &Id) -> session_store::Result<()> {
                    Err(self.0("why it failed".to_owned()))
                }
            }

            fn assert_failing(fails: fn(String) -> session_store::Error, is: fn(&StoreError) -> bool) {
                let (clock, id) = (clock(), fresh_id());
                let store = store_over(Failing(fails), &clock);
                assert_each_call(&store, &clock, &id, is);
                assert!(is(&block_on(store.destroy(&id)).unwrap_err()));
            }

            #[test]
            fn an_engine_that_fails_is_unavailable_for_the_reason_that_it_gives() {
                assert_failing(session_store::Error::Backend, |error| {
                    matches!(error, StoreError::Unavailable { store: "tower-sessions", source }
                        if source.to_string() == "why it failed")
                });
                assert_failing(session_store::Error::Encode, |error| {
                    matches!(error, StoreError::Other { store: "tower-sessions", source }
                        if source.to_string() == "why it failed")
                });
            }

            #[test]
            fn what_the_engine_cannot_read_is_corrupt_without_what_was_read() {
                assert_failing(session_store::Error::Decode, |error| {
                    matches!(error, StoreError::Corrupt { problem, .. } if !problem.contains("why it failed"))
                });
            }

            #[test]
            fn a_sweep_leaves_everything_to_the_engine() {
                let (clock, id) = (clock(), fresh_id());
                let store = store_over(MemoryStore::default(), &clock);
                block_on(create(&store, &id, &record(&clock, 1, 60)));
                clock.advance_seconds(60);
                assert_eq!(block_on(store.sweep(usize::MAX)).unwrap(), 0);
            }

            #[test]
            fn debug_shows_nothing_of_the_engine() {
                let builder = TowerSessionsStore::$builder(Failing(session_store::Error::Backend));
                assert_eq!(format!("{builder:?}"), "TowerSessionsStoreBuilder { .. }");
                assert_eq!(format!("{:?}", builder.build()), "TowerSessionsStore { .. }");
            }
        }
    };
}

#[cfg(feature = "tower-sessions-core-0-14")]
rules_over! { core_0_14, tower_sessions_core_0_14, tower_sessions_memory_store_0_14, builder_over_core_0_14 }
#[cfg(feature = "tower-sessions-core-0-15")]
rules_over! { core_0_15, tower_sessions_core_0_15, tower_sessions_memory_store_0_15, builder_over_core_0_15 }
