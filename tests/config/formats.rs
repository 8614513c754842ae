//! TOML, JSON and variables say the same.

use sealed_session::Config;
use serde_json::{Value, json};

use crate::samples::{Sample, samples};
use crate::support::{at, json, nested, overridden, toml, toml_error, variable, written};

/// The defaults with this one value changed.
fn expected(sample: &Sample) -> Value {
    let mut expected = written(&Config::default());
    let value = if sample.path == "keys.ring" { json!("<redacted>") } else { sample.json.clone() };
    let (section, name) = sample.path.rsplit_once('.').unwrap_or(("", sample.path));
    let table = if section.is_empty() { &mut expected } else { &mut expected[section] };
    table[name] = value;
    expected
}

#[test]
fn every_setting_is_read_from_toml_and_changes_nothing_else() {
    for sample in samples() {
        assert_ne!(at(&written(&Config::default()), sample.path), Some(&sample.json), "{}", sample.path);
        let config = toml(&format!("{} = {}", sample.path, sample.toml));
        assert_eq!(written(&config), expected(&sample), "{}", sample.path);
    }
}

#[test]
fn every_setting_is_read_from_json_and_changes_nothing_else() {
    for sample in samples() {
        let config = json(&nested(sample.path, sample.json.clone())).unwrap();
        assert_eq!(written(&config), expected(&sample), "{}", sample.path);
    }
}

#[test]
fn every_setting_is_read_from_its_variable_and_changes_nothing_else() {
    for sample in samples() {
        let config = overridden(&[(&variable(sample.path), &sample.variable)]).unwrap();
        assert_eq!(written(&config), expected(&sample), "{}", sample.path);
    }
}

#[test]
fn nothing_is_the_defaults_in_every_format() {
    let defaults = written(&Config::default());
    for config in [toml(""), toml("# nothing"), json(&json!({})).unwrap(), overridden(&[]).unwrap()] {
        assert_eq!(written(&config), defaults);
    }
}

#[test]
fn every_name_of_a_choice_is_read() {
    for (path, names) in [
        ("placement", ["spill", "cookie_only", "store_only"].as_slice()),
        ("renewal", &["half_life", "every_response", "on_write"]),
        ("when_too_large", &["trim_flash", "fail"]),
        ("on_store_failure", &["fail_closed", "ephemeral"]),
        ("keys.source", &["environment", "file", "directory", "inline"]),
        ("cookie.same_site", &["strict", "lax", "none"]),
    ] {
        for name in names {
            let config = toml(&format!("{path} = \"{name}\""));
            assert_eq!(at(&written(&config), path), Some(&json!(name)));
        }
        let list: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let (last, others) = list.split_last().unwrap();
        let message = format!("`{path}`: expected {} or {last}", others.join(", "));
        assert_eq!(toml_error(&format!("{path} = \"nothing\"")).to_string(), message);
    }
}

#[test]
fn a_date_of_toml_needs_no_quotes() {
    let config = toml("accept_inline_until = 2027-01-01T01:00:00+01:00");
    assert_eq!(at(&written(&config), "accept_inline_until"), Some(&json!("2027-01-01T00:00:00Z")));
    for text in ["2027-01-01", "2027-01-01T00:00:00", "\"soon\"", "2027-01-01T00:00:00.5Z", "\"1969-12-31T23:59:59Z\""]
    {
        assert_eq!(toml_error(&format!("accept_inline_until = {text}")).setting(), "accept_inline_until");
    }
}

#[test]
fn no_absolute_timeout_is_the_word_none() {
    let config = toml("[lifetimes]\nabsolute_timeout = \"none\"");
    assert_eq!(at(&written(&config), "lifetimes.absolute_timeout"), Some(&json!("none")));
}

#[test]
fn null_leaves_a_setting_out_that_can_be() {
    for sample in samples() {
        let is_left_out = at(&written(&Config::default()), sample.path).is_none();
        let outcome = json(&nested(sample.path, Value::Null));
        assert_eq!(outcome.is_ok(), is_left_out, "{}: {outcome:?}", sample.path);
    }
}
