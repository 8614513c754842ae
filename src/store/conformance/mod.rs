//! The store contract as a test suite: one set of rules, run over every store; feature `conformance`.
//!
//! A kit for tests, and no part of a running service. [`store_conformance!`](crate::store_conformance) makes one test of
//! each rule. A rule is a function of a store and the clock that the store was given, and makes record ids of its own, so
//! that many rules may share one engine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

#[doc(hidden)]
pub mod create;
#[doc(hidden)]
pub mod destroy;
#[doc(hidden)]
pub mod expiry;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod parallel;
#[doc(hidden)]
pub mod reference;
mod runner;
#[doc(hidden)]
pub mod support;
#[doc(hidden)]
pub mod sweep;
#[doc(hidden)]
pub mod touch;
#[doc(hidden)]
pub mod update;
#[doc(hidden)]
pub mod values;

pub use runner::{Runner, Work};

/// Where a rule's clock must start: later than the present, so that an engine with a clock of its own removes nothing.
pub const START_UNIX_SECONDS: u64 = 4_000_000_000;

/// A module of tests, one for each rule of the store contract, over the store that a function starts.
///
/// The function is named by its path from the root of the test's crate. It is called once for each rule: it makes the
/// clock, at [`START_UNIX_SECONDS`], and the store on that clock, and hands
/// both to the rule, with a [`Runner`] that waits for the store's answers. An engine may
/// be shared by all rules: none touches the records of another, and none counts them.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Mutex, MutexGuard};
///
/// use sealed_session::store::{Created, Record, RecordId, RecordStore, StoreFuture, Updated};
/// use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
/// use sealed_session::testing::ManualClock;
/// use sealed_session::{Clock, Timestamp};
///
/// struct MapStore {
///     records: Mutex<HashMap<RecordId, Record>>,
///     clock: ManualClock,
/// }
///
/// impl MapStore {
///     fn living(&self) -> MutexGuard<'_, HashMap<RecordId, Record>> {
///         let mut records = self.records.lock().unwrap();
///         records.retain(|_, record| self.clock.now() < record.expires_at);
///         records
///     }
/// }
///
/// impl RecordStore for MapStore {
///     fn load<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, Option<Record>> {
///         Box::pin(async { Ok(self.living().get(id).cloned()) })
///     }
///     fn create<'a>(&'a self, id: &'a RecordId, record: Record) -> StoreFuture<'a, Created> {
///         Box::pin(async {
///             let mut living = self.living();
///             if living.contains_key(id) {
///                 return Ok(Created::Exists);
///             }
///             living.insert(*id, record);
///             Ok(Created::Created)
///         })
///     }
///     fn update<'a>(&'a self, id: &'a RecordId, record: Record, expected: u64) -> StoreFuture<'a, Updated> {
///         Box::pin(async move {
///             Ok(match self.living().get_mut(id) {
///                 None => Updated::Missing,
///                 Some(current) if current.version != expected => Updated::Conflict,
///                 Some(current) => {
///                     *current = record;
///                     Updated::Updated
///                 }
///             })
///         })
///     }
///     fn touch<'a>(&'a self, id: &'a RecordId, expires_at: Timestamp) -> StoreFuture<'a, bool> {
///         Box::pin(async move {
///             let mut living = self.living();
///             let Some(current) = living.get_mut(id) else { return Ok(false) };
///             current.expires_at = current.expires_at.max(expires_at);
///             Ok(true)
///         })
///     }
///     fn destroy<'a>(&'a self, id: &'a RecordId) -> StoreFuture<'a, ()> {
///         Box::pin(async {
///             self.living().remove(id);
///             Ok(())
///         })
///     }
///     fn sweep(&self, _limit: usize) -> StoreFuture<'_, usize> {
///         Box::pin(async { Ok(0) }) // Every call sweeps.
///     }
/// }
///
/// fn with_store(rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
///     let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
///     let store = MapStore { records: Mutex::default(), clock: clock.clone() };
///     rule(&store, &clock, &Runner::new(|work| pollster::block_on(work)));
/// }
///
/// sealed_session::store_conformance!(map_store, crate::with_store);
/// # fn main() {
/// #     with_store(sealed_session::store::conformance::model::any_sequence_of_calls_answers_as_a_map_would);
/// # }
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($engine:ident, $with_store:path) => {
        mod $engine {
            $crate::store::conformance::store_conformance! { @one_call_at_a_time $with_store,
                create::a_record_that_was_never_created_is_absent,
                create::a_created_record_is_loaded_as_it_was_given,
                create::a_taken_id_is_refused_and_its_record_left_alone,
                create::an_id_is_free_again_after_destroy,
                create::ids_that_differ_in_one_bit_name_different_records,
                create::ids_of_bytes_that_engines_treat_specially_name_records,
                update::version_expiry_and_bytes_are_replaced_together,
                update::another_version_than_expected_is_a_conflict_and_changes_nothing,
                update::of_two_updates_from_one_version_the_second_is_a_conflict,
                update::a_record_that_was_never_created_is_missing_and_stays_absent,
                update::a_destroyed_record_is_missing_and_stays_absent,
                update::the_expiry_may_move_earlier,
                touch::the_expiry_moves_later,
                touch::the_expiry_moves_to_the_latest_timestamp,
                touch::the_expiry_never_moves_earlier,
                touch::version_and_bytes_stay,
                touch::a_record_that_was_never_created_is_not_touched_into_being,
                touch::a_destroyed_record_is_not_touched_back,
                destroy::a_destroyed_record_is_absent_and_others_stay,
                destroy::a_second_destroy_is_no_error,
                destroy::an_expired_record_is_destroyed_without_error,
                expiry::a_record_exists_until_the_second_of_its_expiry,
                expiry::an_expired_record_is_missing_for_update,
                expiry::an_expired_record_is_missing_for_touch,
                expiry::an_expired_record_gives_its_id_free,
                expiry::a_record_created_with_a_past_expiry_is_never_seen,
                expiry::an_update_to_a_past_expiry_ends_the_record,
                expiry::the_latest_timestamp_is_an_expiry_like_any_other,
                expiry::records_live_and_expire_in_the_first_seconds_of_1970,
                expiry::a_clock_that_is_set_back_ends_no_record,
                values::every_byte_value_is_kept,
                values::no_bytes_at_all_are_kept,
                values::versions_of_all_64_bits_are_kept_and_compared,
                sweep::at_most_the_limit_is_removed,
                sweep::a_living_record_is_never_removed,
                sweep::an_id_is_free_after_its_record_was_swept,
            }
            $crate::store::conformance::store_conformance! { @with_the_runner $with_store,
                values::sizes_around_the_limits_of_engines_are_kept,
                values::the_largest_record_is_kept,
                values::a_larger_record_is_kept_or_refused_and_never_cut,
                parallel::no_increment_is_lost,
                parallel::of_two_thousand_writers_none_is_lost,
                parallel::one_of_many_creates_wins,
                parallel::one_of_many_creates_over_an_expired_record_wins,
                parallel::an_update_never_brings_back_what_is_destroyed,
                parallel::a_touch_never_takes_back_an_update,
                parallel::a_load_never_sees_a_record_that_nobody_wrote,
                parallel::a_sweep_never_removes_what_replaces_an_expired_record,
                model::any_sequence_of_calls_answers_as_a_map_would,
            }
        }
    };
    (@one_call_at_a_time $with_store:path, $($topic:ident :: $rule:ident,)+) => {
        $(#[test]
        fn $rule() {
            $with_store(|store, clock, runner| {
                runner.block_on($crate::store::conformance::$topic::$rule(store, clock));
            });
        })+
    };
    (@with_the_runner $with_store:path, $($topic:ident :: $rule:ident,)+) => {
        $(#[test]
        fn $rule() {
            $with_store($crate::store::conformance::$topic::$rule);
        })+
    };
}

// Below its definition, where its name is known.
#[doc(inline)]
pub use store_conformance;
