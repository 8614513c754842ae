//! A configuration chooses a store by the name that the application gave it.

use sealed_session::testing::{CookieJar, FaultyStore, ManualClock};
use sealed_session::{Config, ConfigError, Key, SessionManager, Stores};

use crate::support::toml;

fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(1_795_000_000)
}

fn error(config: &Config, stores: &Stores) -> ConfigError {
    SessionManager::builder(Key::generate().unwrap()).configured(config, stores).unwrap_err()
}

#[test]
fn the_named_store_is_used_and_the_other_is_not() {
    let (redis, memory) = (FaultyStore::new(clock()), FaultyStore::new(clock()));
    let stores = Stores::new().with("redis", redis.clone()).with("memory", memory.clone());
    let config = toml("store = \"redis\"\nplacement = \"store_only\"");
    let builder = SessionManager::builder(Key::generate().unwrap()).configured(&config, &stores).unwrap();
    let store = builder.clock(clock()).build().unwrap();
    CookieJar::new(clock()).visit(&store, |session| session.put("user", &42)).unwrap();
    assert_eq!((redis.take_calls().len(), memory.take_calls().len()), (1, 0));
}

#[test]
fn sessions_stay_in_their_cookies_where_no_store_is_named() {
    let redis = FaultyStore::new(clock());
    let stores = Stores::new().with("redis", redis.clone());
    for config in [Config::default(), toml("store = \"cookie\"")] {
        let builder = SessionManager::builder(Key::generate().unwrap()).configured(&config, &stores).unwrap();
        let store = builder.clock(clock()).build().unwrap();
        let visit = CookieJar::new(clock()).visit(&store, |session| session.put("cart", &"x".repeat(5000)));
        assert!(visit.is_err());
        assert!(redis.take_calls().is_empty());
    }
}

#[test]
fn a_name_that_is_not_registered_is_refused_with_those_that_are() {
    let config = toml("store = \"postgres\"");
    let one = Stores::new().with("redis", FaultyStore::new(clock()));
    assert_eq!(error(&config, &one).to_string(), "`store`: no store of this name is registered: there is `redis`");
    let two = one.with("memory", FaultyStore::new(clock()));
    assert!(error(&config, &two).to_string().ends_with("there are `memory`, `redis`"));
    let none = error(&config, &Stores::new());
    assert!(none.to_string().ends_with("there is none; register it with `Stores::with`, or take `cookie`"), "{none}");
}

#[test]
fn a_store_cannot_be_registered_under_a_name_that_no_configuration_can_choose() {
    for name in ["cookie", "", "a b", "redis://host"] {
        let stores = Stores::new().with(name, FaultyStore::new(clock()));
        for config in [Config::default(), toml("store = \"redis\"")] {
            let error = error(&config, &stores);
            assert_eq!(error.setting(), "store");
            assert!(error.to_string().contains("registered under a name"), "{error}");
        }
    }
}

#[test]
fn debug_shows_names_alone() {
    let stores = Stores::new().with("redis", FaultyStore::new(clock()));
    assert_eq!(format!("{stores:?}"), "{\"redis\"}");
}
