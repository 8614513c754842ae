//! The SQL store on SQLite, PostgreSQL and MariaDB: each rule once, run on every engine, in a table of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions alone"
)]

mod shared {
    pub(crate) mod sessions;
}
mod sql {
    pub(crate) mod connecting;
    pub(crate) mod contention;
    pub(crate) mod cost;
    pub(crate) mod failures;
    pub(crate) mod place;
    pub(crate) mod plans;
    pub(crate) mod privacy;
    pub(crate) mod schema;
    pub(crate) mod sessions;
    pub(crate) mod statements;
    pub(crate) mod sweeping;
}

use sealed_session::store::RecordStore;
use sealed_session::store::conformance::{Runner, START_UNIX_SECONDS};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::Runner as EngineRunner;

use sql::place::Place;

/// A test of each rule on each engine, and the store contract on each.
macro_rules! on_every_engine {
    ($($topic:ident :: $rule:ident,)+) => {
        on_every_engine! { @ sqlite: $($topic :: $rule,)+ }
        on_every_engine! { @ postgres: $($topic :: $rule,)+ }
        on_every_engine! { @ mysql: $($topic :: $rule,)+ }
    };
    (@ $engine:ident: $($topic:ident :: $rule:ident,)+) => {
        mod $engine {
            use crate::sql::place::Place;

            $(#[test]
            fn $rule() {
                let place = Place::$engine();
                place.block_on(crate::sql::$topic::$rule(&place));
            })+

            fn with_store(
                rule: impl FnOnce(&dyn super::RecordStore, &super::ManualClock, &super::Runner<'_>),
            ) {
                super::with_store(&Place::$engine(), rule);
            }

            sealed_session::store_conformance!(contract, super::with_store);
        }
    };
}

on_every_engine! {
    contention::a_call_that_is_dropped_midway_never_answers_another,
    cost::a_call_that_succeeds_is_one_statement,
    cost::what_was_not_written_is_asked_for_once_more,
    failures::a_missing_table_is_an_error_that_names_the_mend,
    failures::another_table_of_that_name_is_corrupt,
    failures::an_expiry_beyond_40_bits_is_corrupt,
    failures::a_closed_pool_is_unavailable,
    failures::a_pool_without_a_free_connection_is_a_timeout,
    plans::the_sweep_reads_the_index_on_the_expiry,
    plans::a_record_is_found_by_its_key_even_when_few_are_alive,
    privacy::the_table_holds_neither_the_session_nor_its_ids,
    privacy::the_debug_form_holds_no_address,
    schema::the_migration_makes_the_table_that_create_table_makes,
    schema::the_dialects_own_migration_is_the_same,
    schema::create_table_changes_nothing_where_the_table_stands,
    schema::servers_that_start_at_once_create_one_table,
    schema::a_word_of_sql_may_name_the_table,
    schema::a_table_may_stand_in_a_schema,
    schema::two_tables_share_nothing,
    sessions::no_increment_of_two_servers_is_lost,
    sweeping::exactly_what_has_expired_is_removed_up_to_the_limit,
    sweeping::more_than_a_batch_is_removed_in_one_call,
    sweeping::two_sweeps_at_once_remove_each_row_once,
    sweeping::the_command_removes_what_has_expired,
}

/// Rules of one engine, or of none.
macro_rules! on_one_engine {
    ($($name:ident: $place:expr => $topic:ident :: $rule:ident,)+) => {
        $(#[test]
        fn $name() {
            let place = $place;
            place.block_on(sql::$topic::$rule(&place));
        })+
    };
}

on_one_engine! {
    a_touch_that_postgres_cannot_serialize_is_made_again:
        Place::postgres() => contention::a_touch_that_cannot_be_serialized_is_made_again,
    a_replica_of_postgres_is_unavailable_for_writes:
        Place::postgres() => contention::a_replica_is_unavailable_for_writes,
    a_sweep_that_a_deadlock_in_mysql_ended_is_made_again:
        Place::mysql() => contention::a_sweep_that_a_deadlock_ended_is_made_again,
    a_write_that_waits_too_long_in_sqlite_is_unavailable:
        Place::sqlite() => contention::a_write_that_waits_too_long_for_another_is_unavailable,
    sqlite_is_put_into_wal_mode: Place::sqlite() => connecting::sqlite_is_put_into_wal_mode,
    postgres_that_was_away_is_served_again: Place::postgres() => connecting::an_engine_that_was_away_is_served_again,
    mysql_that_was_away_is_served_again: Place::mysql() => connecting::an_engine_that_was_away_is_served_again,
}

#[test]
fn what_names_no_database_is_refused_without_repeating_it() {
    EngineRunner::new().block_on(sql::connecting::what_names_no_database_is_refused_without_repeating_it());
}

#[test]
fn nobody_at_the_address_is_unavailable_or_too_late() {
    EngineRunner::new().block_on(sql::connecting::nobody_at_the_address_is_unavailable_or_too_late());
}

#[test]
fn a_call_to_postgres_waits_for_one_round_trip() {
    sql::cost::a_call_waits_for_one_round_trip(&Place::postgres());
}

#[test]
fn a_call_to_mysql_waits_for_one_round_trip() {
    sql::cost::a_call_waits_for_one_round_trip(&Place::mysql());
}

fn with_store(place: &Place, rule: impl FnOnce(&dyn RecordStore, &ManualClock, &Runner<'_>)) {
    let clock = ManualClock::at_unix_seconds(START_UNIX_SECONDS);
    let store = place.block_on(place.store(&clock));
    rule(&store, &clock, &Runner::new(|work| place.block_on(work)));
}
