//! What somebody has who got hold of the engine's files.

use redis::cmd;
use sealed_session_engine_tests::{Runner, assert_found, assert_nowhere};

use crate::support::{Site, own_redis};

#[test]
fn a_dump_holds_neither_a_word_of_a_session_nor_what_opens_one() {
    Runner::new().block_on(async {
        // Uncompressed, or nothing could be found in it by looking.
        let redis = own_redis(&["--rdbcompression", "no", "--appendonly", "yes"]);
        let site = Site::at(&redis.url()).await;
        let (store, mut browser) = (site.sessions().build().unwrap(), site.browser());
        let write = |session: &sealed_session::Session| {
            session.put("credit_card_number", "4111-1111-1111-1111").unwrap();
            session.increment("number_of_visits", 1).unwrap();
        };
        browser.visit(&store, write).await.unwrap();
        browser.visit(&store, write).await.unwrap();
        let values = site.values().await;
        let [(key, value)] = &values[..] else { panic!("{} keys", values.len()) };
        let cookie = browser.jar.value(store.cookie_name()).unwrap().to_owned();

        let () = cmd("SAVE").query_async(&mut site.connection.clone()).await.unwrap();
        let mut dump = std::fs::read(redis.folder().join("dump.rdb")).unwrap();
        assert_found(&dump, "the key", key.as_bytes());
        assert_found(&dump, "the value", value);
        // The file of appended commands too, which has each script and each value that was ever written.
        for file in std::fs::read_dir(redis.folder().join("appendonlydir")).unwrap() {
            dump.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        for word in ["4111-1111-1111-1111", "credit_card_number", "number_of_visits"] {
            assert_nowhere(&dump, word, word.as_bytes());
        }
        assert_nowhere(&dump, "the cookie", cookie.as_bytes());
        // Nor any part of it: a cookie's head tells of its key alone, and the rest of it is as random.
        for part in cookie.as_bytes().chunks_exact(16).skip(2) {
            assert_nowhere(&dump, "a part of the cookie", part);
        }

        // What is there opens nothing.
        let hex = key.strip_prefix(&site.key_prefix).unwrap();
        let sealed: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
        for forged in [key.as_str(), hex, &sealed[..2000.min(sealed.len())]] {
            let mut thief = site.browser();
            thief.jar.plant(store.cookie_name(), forged);
            assert_eq!(thief.get(&store, "number_of_visits").await, None);
        }
        assert_eq!(browser.get(&store, "number_of_visits").await, Some(2));
    });
}
