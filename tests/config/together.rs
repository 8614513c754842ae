//! Settings that do not go together are found when the store is built, and named as the configuration spells them.

use sealed_session::{Config, Key, KeyRing, SessionManager, Stores};

use crate::support::{build_error, configured, toml};

#[test]
fn a_setting_that_does_not_go_with_another_is_named_by_its_path() {
    for (text, setting) in [
        ("cookie.path = \"/shop\"", "cookie.path"),
        ("cookie.path = \"shop\"", "cookie.path"),
        ("cookie.name = \"a b\"", "cookie.name"),
        ("cookie.domain = \"example.com\"", "cookie.domain"),
        ("cookie.secure = false", "cookie.secure"),
        ("cookie = { name = \"__Http-a\", http_only = false }", "cookie.http_only"),
        ("cookie = { name = \"a\", secure = false, same_site = \"none\" }", "cookie.same_site"),
        ("cookie = { name = \"a\", secure = false, partitioned = true }", "cookie.partitioned"),
        ("lifetimes.idle_timeout = \"0s\"", "lifetimes.idle_timeout"),
        ("lifetimes.idle_timeout = \"1s 500ms\"", "lifetimes.idle_timeout"),
        ("keys.grace = \"500ms\"", "keys.grace"),
        ("lifetimes.absolute_timeout = \"0s\"", "lifetimes.absolute_timeout"),
        ("lifetimes.absolute_timeout = \"none\"", "lifetimes.remember_max"),
        ("lifetimes.remember_max = \"1999999w\"", "lifetimes.remember_max"),
        ("lifetimes.remember_max = \"31d\"", "lifetimes.remember_max"),
        ("lifetimes = { absolute_timeout = \"1h\", remember_max = \"2h\" }", "lifetimes.remember_max"),
        ("placement = \"spill\"", "placement"),
        ("sizes.inline_limit_bytes = 100", "sizes.inline_limit_bytes"),
        ("also_remove = [{ name = \"a\" }, { path = \"/shop\" }]", "also_remove[1].path"),
        ("rolling = false\nrenewal = \"every_response\"", "rolling"),
        ("rolling = true\nrenewal = \"on_write\"", "rolling"),
    ] {
        let error = build_error(&toml(text));
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.to_string().starts_with(&format!("`{setting}`: ")), "{error}");
    }
    let error = build_error(&toml(&format!("audience = \"{}\"", "a".repeat(257))));
    assert_eq!(error.setting(), "audience");
}

#[test]
fn keys_of_which_none_seals_yet_are_named_as_keys() {
    let key = Key::generate().unwrap().to_secret_text();
    let ring = KeyRing::from_text(&format!("{} seal-from=2999-01-01T00:00:00Z", *key)).unwrap();
    let builder = SessionManager::builder(ring).configured(&Config::default(), &Stores::new()).unwrap();
    assert_eq!(builder.build().unwrap_err().setting(), "keys");
}

#[test]
fn rolling_and_renewal_may_say_the_same() {
    for text in ["rolling = true\nrenewal = \"every_response\"", "rolling = false\nrenewal = \"on_write\""] {
        assert!(configured(&toml(text)).is_ok(), "{text}");
    }
}

#[test]
fn without_a_configuration_settings_keep_the_builders_names() {
    let attributes = sealed_session::cookie::CookieAttributes::new().path("/shop");
    let error = SessionManager::builder(Key::generate().unwrap()).cookie(attributes).build().unwrap_err();
    assert_eq!(error.setting(), "path");
}

#[test]
fn what_is_set_on_the_builder_afterwards_counts() {
    let config = toml("cookie.name = \"__Host-shop\"");
    let attributes = sealed_session::cookie::CookieAttributes::new().name("__Host-other");
    let builder = SessionManager::builder(Key::generate().unwrap()).configured(&config, &Stores::new()).unwrap();
    assert_eq!(builder.cookie(attributes).build().unwrap().cookie_name(), "__Host-other");
}
