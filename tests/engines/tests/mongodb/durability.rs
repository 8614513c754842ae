//! What the server is asked for beside the work itself.

use std::sync::{Arc, Mutex};

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, WriteConcern};
use sealed_session::store::RecordStore;
use sealed_session::testing::ManualClock;

use super::place::Place;
use crate::shared::calls::{EXPIRES_AT, ID, each_call, record};

/// A client that was told to be careless, and the commands that it sends.
async fn careless(url: &str) -> (Client, Arc<Mutex<Vec<Document>>>) {
    let commands = Arc::new(Mutex::new(Vec::new()));
    let heard = commands.clone();
    let mut options = ClientOptions::parse(url).await.unwrap();
    options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Nodes(1)).build());
    options.read_concern = Some(ReadConcern::available());
    options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event {
            heard.lock().unwrap().push(started.command);
        }
    }));
    (Client::with_options(options).unwrap(), commands)
}

#[test]
fn writes_wait_for_a_majority_and_reads_are_local_whatever_the_client_was_told() {
    let place = Place::new();
    place.block_on(async {
        let (client, commands) = careless(&place.url).await;
        let clock = ManualClock::default();
        let store = place.builder(&client.database("sealed")).clock(clock.clone()).build().unwrap();
        each_call(&store, &clock, || 0).await;
        let _ = store.create(&ID, record(1)).await.unwrap();
        clock.set_unix_seconds(EXPIRES_AT.unix_seconds());
        assert_eq!(store.sweep(1).await.unwrap(), 1);

        let (mut writes, mut reads) = (0, 0);
        for command in commands.lock().unwrap().iter() {
            if command.contains_key("find") {
                assert_eq!(command.get("readConcern"), Some(&doc! { "level": "local" }.into()), "{command}");
                reads += 1;
            } else {
                assert!(command.contains_key("update") || command.contains_key("delete"), "{command}");
                assert_eq!(command.get("writeConcern"), Some(&doc! { "w": "majority" }.into()), "{command}");
                writes += 1;
            }
        }
        assert!(writes >= 8 && reads >= 4, "{writes} writes and {reads} reads were heard");
    });
}
