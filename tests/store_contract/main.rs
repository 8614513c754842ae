//! The store contract: one suite of rules, run over every store.
//!
//! A rule is a function of a store and the clock that the store was given, and makes record ids of its own, so that
//! many rules may share one engine. A store joins with a function that starts it and hands it to a rule, and one line
//! of `store_contract!` below.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

mod create;
mod destroy;
mod expiry;
mod model;
mod parallel;
mod reference;
mod support;
mod sweep;
mod touch;
mod update;
mod values;

#[cfg(feature = "memory")]
mod memory;

/// One test for each rule of the contract, over the store that `$with_store` starts.
macro_rules! store_contract {
    ($engine:ident, $with_store:path) => {
        mod $engine {
            store_contract! { @one_call_at_a_time $with_store,
                create::a_record_that_was_never_created_is_absent,
                create::a_created_record_is_loaded_as_it_was_given,
                create::a_taken_id_is_refused_and_its_record_left_alone,
                create::an_id_is_free_again_after_destroy,
                create::ids_that_differ_in_one_bit_name_different_records,
                update::version_expiry_and_bytes_are_replaced_together,
                update::another_version_than_expected_is_a_conflict_and_changes_nothing,
                update::of_two_updates_from_one_version_the_second_is_a_conflict,
                update::a_record_that_was_never_created_is_missing_and_stays_absent,
                update::a_destroyed_record_is_missing_and_stays_absent,
                update::the_expiry_may_move_earlier,
                touch::the_expiry_moves_later,
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
                values::every_byte_value_is_kept,
                values::no_bytes_at_all_are_kept,
                values::one_mebibyte_is_kept,
                values::versions_of_all_64_bits_are_kept_and_compared,
                sweep::at_most_the_limit_is_removed,
                sweep::a_living_record_is_never_removed,
                sweep::an_id_is_free_after_its_record_was_swept,
            }
            store_contract! { @many_calls_at_once $with_store,
                parallel::no_increment_is_lost,
                parallel::one_of_many_creates_wins,
                parallel::one_of_many_creates_over_an_expired_record_wins,
                parallel::an_update_never_brings_back_what_is_destroyed,
                parallel::a_touch_never_takes_back_an_update,
                parallel::a_sweep_never_removes_what_replaces_an_expired_record,
                model::any_sequence_of_calls_answers_as_a_map_would,
            }
        }
    };
    (@one_call_at_a_time $with_store:path, $($topic:ident :: $rule:ident,)+) => {
        $(#[test]
        fn $rule() {
            $with_store(|store, clock, block_on| block_on(Box::pin(crate::$topic::$rule(store, clock))));
        })+
    };
    (@many_calls_at_once $with_store:path, $($topic:ident :: $rule:ident,)+) => {
        $(#[test]
        fn $rule() {
            $with_store(crate::$topic::$rule);
        })+
    };
}

store_contract!(contract_of_the_reference_store, crate::reference::with_store);

#[cfg(feature = "memory")]
store_contract!(contract_of_the_memory_store, crate::memory::with_store);
