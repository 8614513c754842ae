use sealed_session::{Config, ConfigError, Key, SessionManager, SessionManagerBuilder, Stores};
use serde_json::{Map, Value};

pub(crate) fn toml(text: &str) -> Config {
    Config::from_toml(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

pub(crate) fn toml_error(text: &str) -> ConfigError {
    Config::from_toml(text).err().unwrap_or_else(|| panic!("{text}\nwas taken"))
}

pub(crate) fn json(value: &Value) -> Result<Config, ConfigError> {
    Config::from_json(&value.to_string())
}

pub(crate) fn overridden(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::default().overridden_by(variables.iter().copied())
}

/// What a configuration says, as JSON.
pub(crate) fn written(config: &Config) -> Value {
    serde_json::to_value(config).unwrap()
}

/// A value below the tables that its path names.
pub(crate) fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, name| Value::Object(Map::from_iter([(name.to_owned(), inner)])))
}

pub(crate) fn at<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(root, |value, name| value.get(name))
}

/// As it stands in the guide; a test of the crate holds the guide to its tables.
pub(crate) fn variable(path: &str) -> String {
    format!("SEALED_SESSION_{}", path.replace('.', "__").to_uppercase())
}

pub(crate) fn configured(config: &Config) -> Result<SessionManagerBuilder, ConfigError> {
    SessionManager::builder(Key::generate().unwrap()).configured(config, &Stores::new())
}

pub(crate) fn build_error(config: &Config) -> ConfigError {
    configured(config).and_then(SessionManagerBuilder::build).unwrap_err()
}

/// Every setting's path, from the table of the guide.
pub(crate) fn paths() -> Vec<&'static str> {
    let page = include_str!("../../src/guide/configuration.md");
    let table = page.split("\n# Every setting\n").nth(1).unwrap().split("\n# ").next().unwrap();
    table.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('`').nth(1).unwrap()).collect()
}
