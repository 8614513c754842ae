//! What goes wrong with an engine, or with a process in the midst of its work: each rule once, run on every engine that can
//! hold it. Nothing is lost that was acknowledged, nobody is logged out by mistake, and what fails is a 503.
//!
//! ```sh
//! bash tests/lib/engines.sh run -- cargo test --profile engines -p sealed-session-engine-tests --test faults
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rule fails loudly; clippy knows test functions, but not what they call"
)]

mod backup;
mod child;
mod commits;
mod cut;
mod dynamodb;
mod killed;
mod mongodb;
mod mysql;
mod parallel;
mod postgres;
mod redis;
mod restart;
mod site;
mod slow;
mod sql;
mod sqlite;
mod sqlite_killed;

use self::child::Job;

/// A test of each rule on one engine.
macro_rules! rules {
    ($kind:ident::$type:ident: $($topic:ident::$rule:ident,)+) => {
        $(#[test]
        fn $rule() {
            crate::$topic::$rule::<crate::$kind::$type>();
        })+
    };
}

/// Those that every engine can hold whose driver speaks to it over a connection.
macro_rules! rules_of_every_server {
    ($kind:ident::$type:ident) => {
        rules! { $kind::$type:
            parallel::keys_that_different_requests_write_all_survive,
            parallel::a_logout_in_the_midst_of_writes_is_final,
            restart::an_engine_cut_off_and_reached_again_under_load_loses_no_write_and_logs_nobody_out,
            cut::an_update_whose_connection_is_cut_leaves_the_old_record_or_the_new,
            cut::a_request_whose_connection_is_cut_once_is_answered_and_counts_once,
            slow::a_slow_engine_is_a_503_loses_nothing_and_logs_nobody_out,
            backup::an_older_backup_is_a_503_until_the_newer_state_is_back,
        }

        #[test]
        fn a_process_killed_between_two_steps_of_a_commit_leaves_the_old_session_or_the_new() {
            crate::killed::a_process_killed_between_two_steps_of_a_commit_leaves_the_old_session_or_the_new::<
                crate::$kind::$type,
            >(stringify!($kind));
        }
    };
}

mod on_redis {
    rules_of_every_server! { redis::Redis }
    rules! { redis::Redis:
        restart::an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out,
    }
}

mod on_postgres {
    rules_of_every_server! { postgres::Postgres }
    rules! { postgres::Postgres:
        restart::an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out,
    }
}

mod on_mysql {
    rules_of_every_server! { mysql::MySql }
    rules! { mysql::MySql:
        restart::an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out,
    }
}

mod on_mongodb {
    rules_of_every_server! { mongodb::MongoDb }
    rules! { mongodb::MongoDb:
        restart::an_engine_killed_and_started_again_under_load_loses_no_write_and_logs_nobody_out,
    }
}

/// Its stand-in forgets everything when it is killed.
mod on_dynamodb {
    rules_of_every_server! { dynamodb::DynamoDb }
}

/// There is no server that could be killed or slow, and no connection that could be cut.
mod on_sqlite {
    rules! { sqlite::Sqlite:
        parallel::keys_that_different_requests_write_all_survive,
        parallel::a_logout_in_the_midst_of_writes_is_final,
        backup::an_older_backup_is_a_503_until_the_newer_state_is_back,
    }

    #[test]
    fn a_process_ended_at_any_write_of_a_commit_leaves_the_old_session_or_the_new() {
        crate::sqlite_killed::a_process_ended_at_any_write_of_a_commit_leaves_the_old_session_or_the_new();
    }

    #[test]
    fn a_process_killed_under_load_loses_no_write_and_logs_nobody_out() {
        crate::sqlite_killed::a_process_killed_under_load_loses_no_write_and_logs_nobody_out();
    }

    #[test]
    fn a_writer_that_holds_the_file_is_a_503_loses_nothing_and_logs_nobody_out() {
        crate::sqlite::a_writer_that_holds_the_file_is_a_503_loses_nothing_and_logs_nobody_out();
    }
}

#[test]
#[ignore = "the other tests run it, in a process that they kill"]
fn the_process_that_is_killed() {
    let job = Job::mine();
    match &*job.kind {
        _ if job.work == sqlite_killed::COUNT => sqlite_killed::count_until_killed(&job),
        "sqlite" => job.run::<sqlite::Sqlite>(),
        "postgres" => job.run::<postgres::Postgres>(),
        "mysql" => job.run::<mysql::MySql>(),
        "redis" => job.run::<redis::Redis>(),
        "dynamodb" => job.run::<dynamodb::DynamoDb>(),
        "mongodb" => job.run::<mongodb::MongoDb>(),
        other => panic!("there is no kind `{other}`"),
    }
}
