//! A configuration inside of an application's own.

use sealed_session::Config;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{at, written};

#[derive(Debug, Deserialize, Serialize)]
struct Application {
    port: u16,
    #[serde(default)]
    session: Config,
}

#[test]
fn it_is_read_as_a_part_and_may_be_missing() {
    let read: Application = serde_json::from_value(json!({ "port": 80, "session": { "store": "redis" } })).unwrap();
    assert_eq!(read.session.store_name(), Some("redis"));
    let read: Application = toml::from_str("port = 80\n[session.cookie]\nname = \"shop\"").unwrap();
    assert_eq!(at(&written(&read.session), "cookie.name"), Some(&json!("shop")));
    let read: Application = toml::from_str("port = 80").unwrap();
    assert_eq!(written(&read.session), written(&Config::default()));
}

#[test]
fn its_errors_are_the_same() {
    let error = serde_json::from_str::<Application>(r#"{"port":80,"session":{"cookie":{"same_site":"hidden"}}}"#);
    let message = error.unwrap_err().to_string();
    assert!(message.starts_with("`cookie.same_site`: expected `strict`, `lax` or `none`"), "{message}");
    let message = serde_json::from_value::<Application>(json!({ "port": 80, "session": 5 })).unwrap_err().to_string();
    assert_eq!(message, "expected a table, found a number");
}

#[test]
fn it_is_written_as_a_part() {
    let application = Application { port: 80, session: Config::default() };
    let text = toml::to_string(&application).unwrap();
    let read: Application = toml::from_str(&text).unwrap();
    assert_eq!(written(&read.session), written(&Config::default()));
}
