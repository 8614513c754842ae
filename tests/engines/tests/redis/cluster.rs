//! A cluster of two nodes: every command names one key, so that it can be sent to the node that has it.

use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::cmd;
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, RecordStore as _, Updated};
use sealed_session::testing::ManualClock;
use sealed_session_engine_tests::{PrivateEngine, Runner, unique_name};
use sealed_session_redis::RedisStore;

use crate::support::{NOW_UNIX_SECONDS, connect, own_redis};

const OPTIONS: [&str; 4] = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];

#[test]
fn every_call_works_on_every_node_of_a_cluster() {
    Runner::new().block_on(async {
        let nodes = [own_redis(&OPTIONS), own_redis(&OPTIONS)];
        join(&nodes).await;
        let client = ClusterClient::new(nodes.iter().map(PrivateEngine::url)).unwrap();
        let connection = client.get_async_connection().await.unwrap();
        let builder = RedisStore::builder(connection).key_prefix(unique_name("sessions"));
        let store = builder.clock(ManualClock::at_unix_seconds(NOW_UNIX_SECONDS)).build();
        let record = |version, seconds| {
            let expires_at = Timestamp::from_unix_seconds(NOW_UNIX_SECONDS + seconds);
            Record::new(version, expires_at, b"sealed".to_vec())
        };

        let ids: Vec<_> = (0..100).map(|number| RecordId::from_bytes([number; 16])).collect();
        for id in &ids {
            assert_eq!(store.create(id, record(1, 60)).await.unwrap(), Created::Created);
            assert_eq!(store.update(id, record(2, 60), 1).await.unwrap(), Updated::Updated);
            assert!(store.touch(id, record(2, 90).expires_at).await.unwrap());
            assert_eq!(store.load(id).await.unwrap(), Some(record(2, 90)));
        }
        let mut held = Vec::new();
        for node in &nodes {
            held.push(cmd("DBSIZE").query_async::<usize>(&mut connect(&node.url()).await).await.unwrap());
        }
        assert!(held.iter().all(|records| *records > 20) && held.iter().sum::<usize>() == 100, "{held:?}");
        for id in &ids {
            store.destroy(id).await.unwrap();
            assert_eq!(store.load(id).await.unwrap(), None);
        }
    });
}

/// Gives each node half of the slots, and waits until both know it.
async fn join(nodes: &[PrivateEngine; 2]) {
    let mut connections = [connect(&nodes[0].url()).await, connect(&nodes[1].url()).await];
    for (connection, (first, last)) in connections.iter_mut().zip([(0, 8191), (8192, 16383)]) {
        cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last).exec_async(connection).await.unwrap();
    }
    let meet = cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(nodes[1].port()).to_owned();
    meet.exec_async(&mut connections[0]).await.unwrap();
    let both_know = async {
        for connection in &mut connections {
            loop {
                let state: String = cmd("CLUSTER").arg("INFO").query_async(connection).await.unwrap();
                if state.contains("cluster_state:ok") && state.contains("cluster_slots_assigned:16384") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), both_know).await.expect("the nodes did not find each other");
}
