//! No key that is put anywhere comes out again.

use proptest::prelude::*;
use sealed_session::{Config, ConfigError, Key, SessionManager, Stores, Suite};
use serde_json::{Map, Value, json};

use crate::support::{json, nested, paths, variable};

/// Where a key is put, and what came of the configuration.
type Outcome = Result<Config, ConfigError>;

/// A key's secret, and a text with it.
fn keys() -> impl Strategy<Value = (String, String)> {
    let bytes = prop::array::uniform32(any::<u8>());
    let around = (
        prop::sample::select(vec!["", " ", "\n", "# a\n", "a", "/", "redis://user:"]),
        prop::sample::select(vec!["", "\n", "@host", "=", "é"]),
    );
    (bytes, 0..3_usize, around).prop_filter_map("a weak key", |(bytes, form, (before, after))| {
        let key = Key::from_bytes(Suite::Xaes, &bytes).ok()?;
        let text = key.to_secret_text();
        let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (secret, text) = match form {
            0 => (text.rsplit('.').next()?.to_owned(), text.to_string()),
            1 => (hexadecimal.clone(), format!("hex:{hexadecimal}")),
            _ => {
                let secret = text.rsplit('.').next()?.to_owned();
                (secret.clone(), format!("base64url:{secret}"))
            }
        };
        Some((secret, format!("{before}{text}{after}")))
    })
}

/// Everything that can be seen of an outcome, also of the store that is built.
fn seen(outcome: &Outcome) -> String {
    let config = match outcome {
        Ok(config) => config,
        Err(error) => return format!("{error} {error:?}"),
    };
    let shown = |error: ConfigError| format!("{error} {error:?}");
    let configured =
        SessionManager::builder(Key::generate().unwrap()).configured(config, &Stores::new()).map_err(shown);
    let builder = format!("{configured:?}");
    let built = configured.map(|builder| builder.build().map_err(shown));
    let (json, toml) = (serde_json::to_string(config).unwrap(), toml::to_string(config).unwrap());
    let origin = config.key_origin();
    let refused = origin.as_ref().err().map(ToString::to_string);
    format!("{config:?} {json} {toml} {origin:?} {refused:?} {builder} {built:?}")
}

/// Eight characters of a secret are 32 bits of it at least: fewer may be there by chance.
fn assert_hidden(secret: &str, outcome: &Outcome, place: &str) {
    let seen = seen(outcome);
    for start in 0..=secret.len() - 8 {
        assert!(!seen.contains(&secret[start..start + 8]), "{place}: {seen}");
    }
}

fn object(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_key_in_any_setting_of_any_format_is_not_shown((secret, text) in keys()) {
        for path in paths() {
            for value in [
                json!(text),
                json!([text]),
                json!({ "name": text }),
                object(&text, json!(1)),
                json!([{ "name": text }]),
                json!([{ "audience": text }]),
            ] {
                assert_hidden(&secret, &json(&nested(path, value.clone())), path);
                let file = toml::to_string(&nested(path, value.clone())).unwrap();
                assert_hidden(&secret, &Config::from_toml(&file), path);
                let embedded = serde_json::from_value::<Config>(nested(path, value)).map_err(|error| error.to_string());
                prop_assert!(embedded.err().is_none_or(|error| !error.contains(&secret[..8])));
            }
            let list = json!([{ "name": text }]).to_string();
            for value in [text.clone(), json!([text]).to_string(), list, format!("[{text}")] {
                assert_hidden(&secret, &Config::default().overridden_by([(variable(path), value)]), path);
            }
        }
        assert_hidden(&secret, &Config::default().overridden_by([("SESSION_DRIVER", &text)]), "SESSION_DRIVER");
    }

    #[test]
    fn a_key_as_a_name_is_not_shown((secret, text) in keys()) {
        for name in [&text, &secret] {
            for section in ["", "keys", "cookie", "lifetimes", "sizes"] {
                let table = object(name, json!(1));
                let table = if section.is_empty() { table } else { object(section, table) };
                assert_hidden(&secret, &json(&table), section);
                assert_hidden(&secret, &Config::from_toml(&toml::to_string(&table).unwrap()), section);
            }
        }
        let halves = secret.split_at(21);
        for name in [
            text.clone(),
            text.to_uppercase(),
            format!("COOKIE__{text}"),
            format!("{text}__NAME"),
            secret.clone(),
            format!("COOKIE__{secret}"),
            format!("{}__{}", halves.0, halves.1),
        ] {
            let name = format!("SEALED_SESSION_{name}");
            let outcome = Config::default().overridden_by([(&name, "x")]);
            prop_assert!(outcome.is_err());
            assert_hidden(&secret, &outcome, &name);
            assert_hidden(&secret.to_uppercase(), &outcome, &name);
        }
    }

    #[test]
    fn a_key_where_the_text_is_broken_is_not_shown((secret, text) in keys()) {
        for broken in [
            text.clone(),
            format!("[keys]\nring = {text}"),
            format!("[keys]\nring = \"{text}"),
            format!("[keys]\n{text} = 1\n{text} = 2"),
            format!("[{text}\n"),
            format!("{{ \"keys\": {{ \"ring\": {text} }} }}"),
            format!("{{ \"keys\": {{ \"ring\": \"{text} }} }}"),
            format!("{{ \"{text}\": 1, \"{text}\": 2 }}"),
            format!("{{}} {text}"),
        ] {
            for outcome in [Config::from_toml(&broken), Config::from_json(&broken)] {
                prop_assert!(outcome.is_err());
                assert_hidden(&secret, &outcome, &broken);
            }
        }
    }
}

#[test]
fn a_key_that_is_used_is_not_shown_either() {
    let key = Key::generate().unwrap().to_secret_text();
    let secret = key.rsplit('.').next().unwrap();
    let outcome = Config::from_toml(&format!("keys = {{ source = \"inline\", ring = \"{}\" }}", *key));
    assert!(outcome.is_ok());
    assert_hidden(secret, &outcome, "keys.ring");
    let outcome = Config::default()
        .overridden_by([("SEALED_SESSION_KEYS__SOURCE", "inline"), ("SEALED_SESSION_KEYS__RING", key.as_str())]);
    assert!(outcome.is_ok());
    assert_hidden(secret, &outcome, "SEALED_SESSION_KEYS__RING");
}

#[test]
fn a_key_in_another_setting_is_refused_and_called_known_to_others() {
    let key = Key::generate().unwrap().to_secret_text();
    for path in ["audience", "keys.path", "cookie.name", "cookie.path", "cookie.domain"] {
        let error = Config::from_toml(&format!("{path} = \"{}\"", *key)).unwrap_err();
        assert_eq!(error.setting(), path);
        assert!(error.to_string().contains("a key stands here"), "{error}");
    }
}
