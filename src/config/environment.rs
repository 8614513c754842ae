//! Environment variables over a configuration: `SEALED_SESSION_COOKIE__SAME_SITE` is `cookie.same_site`.

use std::ffi::OsStr;

use zeroize::Zeroizing;

use super::node::Node;
use super::setting::Setting as _;
use super::{Config, names};
use crate::error::ConfigError;

const PREFIX: &str = "SEALED_SESSION_";
/// AdonisJS's variable for the store.
const DRIVER: &str = "SESSION_DRIVER";

/// A variable that may be ours. No other's value is copied.
struct Variable {
    name: String,
    /// `None` where it is no UTF-8.
    value: Option<Zeroizing<String>>,
}

/// The variable of a setting.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

pub(super) fn overlay<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    config: &mut Config,
    variables: impl IntoIterator<Item = (N, V)>,
) -> Result<(), ConfigError> {
    let variables: Vec<_> =
        variables.into_iter().filter_map(|(name, value)| ours(name.as_ref(), value.as_ref())).collect();
    let paths = Config::paths();
    let names: Vec<String> = paths.iter().map(|path| variable(path)).collect();
    // In the order of the settings, whatever the environment's is: where the keys are is decided before their path is read.
    for (path, own_name) in paths.iter().zip(&names) {
        let of_name = |name: &str| variables.iter().find(|variable| variable.name == name);
        let driver = || if path == "store" { of_name(DRIVER) } else { None };
        let Some(variable) = of_name(own_name).or_else(driver) else { continue };
        let outcome = override_setting(config, path, variable.value.clone());
        outcome.map_err(|error| error.in_variable(variable.name.as_str()))?;
    }
    // Security: a misspelt setting would otherwise be one that is at its default, and nobody the wiser.
    let keys_variable = config.keys.keys_variable();
    let is_unknown =
        |name: &&str| *name != DRIVER && !names.iter().any(|known| known == name) && keys_variable != Some(name);
    match variables.iter().map(|variable| variable.name.as_str()).filter(is_unknown).min() {
        Some(name) => Err(unknown_variable(name, &names)),
        None => Ok(()),
    }
}

fn ours(name: &OsStr, value: &OsStr) -> Option<Variable> {
    // A name that is no UTF-8 is none of ours, unless it begins as ours do: then it is unknown.
    let name = name.to_string_lossy();
    let is_ours = name == DRIVER || name.starts_with(PREFIX);
    is_ours.then(|| Variable {
        name: name.into_owned(),
        value: value.to_str().map(|text| Zeroizing::new(text.to_owned())),
    })
}

fn override_setting(config: &mut Config, path: &str, value: Option<Zeroizing<String>>) -> Result<(), ConfigError> {
    let refused = || ConfigError::new(path.to_owned(), "the variable's value is no UTF-8; write it as text");
    let node = Node::Variable(value.ok_or_else(refused)?);
    // What an override replaces is replaced as a whole.
    match path {
        "keys.source" => config.keys.forget_origin(),
        "renewal" => config.rolling = None,
        "rolling" => config.settings.renewal = None,
        _ => {}
    }
    config.read(&nested(path, node), "")
}

/// The tables around a setting: one way to read serves the environment, too.
fn nested(path: &str, value: Node) -> Node {
    path.rsplit('.').fold(value, |inner, name| Node::Table(vec![(name.to_owned().into(), inner)]))
}

fn unknown_variable(name: &str, names: &[String]) -> ConfigError {
    let is_section = |name: &str| names.iter().any(|known| known.starts_with(&format!("{PREFIX}{name}__")));
    let is_plain = |name: &str| names::shown(name).is_some();
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_shown =
        is_plain(rest) || rest.split_once("__").is_some_and(|(first, last)| is_section(first) && is_plain(last));
    if !is_shown {
        let problem = "there is no such setting, and the rest of the name may be a secret; unset the variable";
        return ConfigError::new("", problem).in_variable(format!("{PREFIX}…"));
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let problem = if is_section(rest) {
        format!("it is a section; its settings are variables that begin with `{name}__`")
    } else if let Some(list) = names.iter().find(|known| name.starts_with(&format!("{known}__"))) {
        format!("there is no such setting; `{list}` is one as a whole, a list as JSON")
    } else if let Some(nearest) = names::nearest(name, &known) {
        format!("there is no such setting; did you mean `{nearest}`?")
    } else {
        "there is no such setting; unset the variable".to_owned()
    };
    ConfigError::new("", problem).in_variable(name)
}
