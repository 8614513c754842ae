//! What the engine refuses, and what is no record.

use redis::cmd;
use sealed_session::store::{Created, RecordId, RecordStore as _, StoreError, Updated};
use sealed_session_engine_tests::Runner;
use sealed_session_redis::RedisStore;

use crate::support::{Site, connect, own_redis};

const ID: RecordId = RecordId::from_bytes([7; 16]);

/// The problems that the calls report which look at the record.
async fn problems(site: &Site) -> Vec<String> {
    let mut problems = Vec::new();
    let store = &site.store;
    for error in [
        store.load(&ID).await.unwrap_err(),
        store.create(&ID, site.record(1, 60)).await.unwrap_err(),
        store.update(&ID, site.record(2, 60), 1).await.unwrap_err(),
        store.touch(&ID, site.after(60)).await.unwrap_err(),
    ] {
        let StoreError::Corrupt { problem, .. } = &error else { panic!("{error:?}") };
        problems.push(problem.clone());
    }
    problems
}

#[test]
fn what_another_program_wrote_under_the_prefix_is_told_and_left_alone() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (key, mut connection) = (site.key_of(&ID), site.connection.clone());
        // Too short for a header, and of another format.
        for foreign in [&b"secret"[..], &[9; 40]] {
            let () = cmd("SET").arg(&key).arg(foreign).query_async(&mut connection).await.unwrap();
            let problem = "the key holds something else; give the sessions a key prefix that nothing else uses";
            assert_eq!(problems(&site).await, [problem; 4]);
            let left: Vec<u8> = cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
            assert_eq!(left, foreign);
        }
    });
}

#[test]
fn a_key_of_another_type_is_told_and_left_alone() {
    Runner::new().block_on(async {
        let site = Site::new().await;
        let (key, mut connection) = (site.key_of(&ID), site.connection.clone());
        let () = cmd("RPUSH").arg(&key).arg("secret").query_async(&mut connection).await.unwrap();
        assert_eq!(problems(&site).await.len(), 4);
        let left: Vec<String> = cmd("LRANGE").arg(&key).arg(0).arg(-1).query_async(&mut connection).await.unwrap();
        assert_eq!(left, ["secret"]);
    });
}

#[test]
fn a_full_engine_refuses_writes_loses_nothing_and_serves_reads_and_logouts() {
    Runner::new().block_on(async {
        let redis = own_redis(&["--maxmemory-policy", "noeviction"]);
        let site = Site::at(&redis.url()).await;
        assert_eq!(site.store.create(&ID, site.record(1, 60)).await.unwrap(), Created::Created);
        let mut connection = site.connection.clone();
        let () = cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").query_async(&mut connection).await.unwrap();

        let error = site.store.update(&ID, site.record(2, 60), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains("OOM"), "{error}");
        let other = RecordId::from_bytes([8; 16]);
        assert!(matches!(site.store.create(&other, site.record(1, 60)).await, Err(StoreError::Unavailable { .. })));
        assert_eq!(site.store.load(&ID).await.unwrap(), Some(site.record(1, 60)));
        site.store.destroy(&ID).await.unwrap();
        assert_eq!(site.store.load(&ID).await.unwrap(), None);
    });
}

#[test]
fn a_read_only_replica_takes_no_write() {
    Runner::new().block_on(async {
        let primary = own_redis(&["--repl-diskless-sync-delay", "0"]);
        let replica = own_redis(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
        let site = Site::at(&replica.url()).await;
        for error in
            [site.store.create(&ID, site.record(1, 60)).await.unwrap_err(), site.store.destroy(&ID).await.unwrap_err()]
        {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_connection_that_is_not_let_in_is_told_without_the_password() {
    Runner::new().block_on(async {
        let redis = own_redis(&[]);
        let site = Site::at(&redis.url()).await;
        assert_eq!(site.store.create(&ID, site.record(1, 60)).await.unwrap(), Created::Created);
        // The user `guest` may ping, and touch no key.
        let rules = ["SETUSER", "guest", "on", ">let-me-in", "+ping", "+client", "+hello"];
        let () = cmd("ACL").arg(&rules).query_async(&mut site.connection.clone()).await.unwrap();
        let guest = connect(&format!("redis://guest:let-me-in@127.0.0.1:{}/", redis.port())).await;
        let store = RedisStore::builder(guest).key_prefix(site.key_prefix.as_str()).build();
        let error = store.update(&ID, site.record(2, 60), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        for text in [error.to_string(), format!("{error:?}"), format!("{store:?}")] {
            assert!(!text.contains("let-me-in") && !text.contains(&ID.to_hex()), "{text}");
        }
        assert_eq!(site.store.update(&ID, site.record(2, 60), 1).await.unwrap(), Updated::Updated);
    });
}

#[test]
fn a_user_with_the_commands_that_the_guide_names_can_do_everything() {
    Runner::new().block_on(async {
        let redis = own_redis(&[]);
        let site = Site::at(&redis.url()).await;
        let keys = format!("~{}*", site.key_prefix);
        let commands = ["+get", "+set", "+del", "+eval", "+getrange", "+setrange", "+pexpire"];
        let user =
            cmd("ACL").arg("SETUSER").arg("sessions").arg("on").arg(">let-me-in").arg(keys).arg(&commands).to_owned();
        user.exec_async(&mut site.connection.clone()).await.unwrap();
        let connection = connect(&format!("redis://sessions:let-me-in@127.0.0.1:{}/", redis.port())).await;
        let builder = RedisStore::builder(connection).key_prefix(site.key_prefix.as_str());
        let store = builder.clock(site.clock.clone()).build();
        assert_eq!(store.create(&ID, site.record(1, 60)).await.unwrap(), Created::Created);
        assert_eq!(store.update(&ID, site.record(2, 60), 1).await.unwrap(), Updated::Updated);
        assert!(store.touch(&ID, site.after(90)).await.unwrap());
        assert_eq!(store.load(&ID).await.unwrap().map(|record| record.expires_at), Some(site.after(90)));
        store.destroy(&ID).await.unwrap();
    });
}
