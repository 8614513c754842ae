//! A mistake is named, with the mend.

use sealed_session::Config;
use serde_json::{Value, json};

use crate::samples::samples;
use crate::support::{json, nested, overridden, toml_error, variable};

#[test]
fn a_value_of_another_kind_is_refused_at_its_setting_in_every_format() {
    let kinds = [
        (json!(true), "`true` or `false`"),
        (json!(5), "a number"),
        (json!(-5), "a number below zero"),
        (json!(5.5), "a number with a point"),
        (json!("a text"), "a text"),
        (json!([1]), "a list"),
        (json!({ "a": 1 }), "a table"),
    ];
    for sample in samples() {
        for (value, kind) in &kinds {
            if std::mem::discriminant(value) == std::mem::discriminant(&sample.json)
                && !matches!(value, Value::Number(n) if !n.is_u64())
            {
                continue;
            }
            let error = json(&nested(sample.path, value.clone())).unwrap_err();
            assert_eq!(error.setting(), sample.path, "{error}");
            assert!(error.to_string().starts_with(&format!("`{}`: expected ", sample.path)), "{error}");
            assert!(error.to_string().ends_with(&format!(", found {kind}")), "{error}");
        }
    }
}

#[test]
fn a_variable_of_another_kind_is_refused_by_its_name() {
    for sample in samples() {
        let takes_any_text =
            matches!(sample.path, "audience" | "keys.path" | "cookie.name" | "cookie.path" | "cookie.domain");
        if takes_any_text {
            continue;
        }
        let name = variable(sample.path);
        let error = overridden(&[(&name, "no such value!")]).unwrap_err();
        assert_eq!((error.setting(), error.variable()), (sample.path, Some(name.as_str())), "{error}");
        assert!(error.to_string().starts_with(&format!("`{}` (from the variable `{name}`): ", sample.path)), "{error}");
    }
}

#[test]
fn a_section_that_is_no_table_is_refused() {
    for section in ["keys", "cookie", "lifetimes", "sizes"] {
        let error = json(&json!({ section: "value" })).unwrap_err();
        assert_eq!(error.to_string(), format!("`{section}`: expected a table, found a text"));
    }
    assert_eq!(Config::from_json("[]").unwrap_err().to_string(), "expected a table, found a list");
}

#[test]
fn a_value_out_of_its_range_is_refused_with_the_range() {
    for (text, message) in [
        (
            "sizes.padding_bucket_bytes = 0",
            "`sizes.padding_bucket_bytes`: expected a whole number of bytes from 1 to 1024",
        ),
        (
            "sizes.padding_bucket_bytes = 1025",
            "`sizes.padding_bucket_bytes`: expected a whole number of bytes from 1 to 1024",
        ),
        (
            "keys.poll_interval = \"0s\"",
            "`keys.poll_interval`: expected one second or more, with its unit, such as `5s`",
        ),
        (
            "keys.variable = \"1A\"",
            "`keys.variable`: expected the name of a variable: letters, digits and `_`, no digit first",
        ),
        (
            "keys.variable = \"\"",
            "`keys.variable`: expected the name of a variable: letters, digits and `_`, no digit first",
        ),
        ("keys.path = \"\"", "`keys.path`: expected a path"),
        (
            "store = \"redis://user:word@host\"",
            "`store`: expected `cookie`, or the name of a registered store: letters, digits, `_` and `-`, 64 at most",
        ),
        (
            "store = \"\"",
            "`store`: expected `cookie`, or the name of a registered store: letters, digits, `_` and `-`, 64 at most",
        ),
        (
            "lifetimes.idle_timeout = 7200",
            "`lifetimes.idle_timeout`: expected a duration with its unit, such as `90s`, `2h` or `30d`, found a number",
        ),
        (
            "lifetimes.idle_timeout = \"1 month\"",
            "`lifetimes.idle_timeout`: expected a duration with its unit, such as `90s`, `2h` or `30d`",
        ),
        (
            "lifetimes.absolute_timeout = \"never\"",
            "`lifetimes.absolute_timeout`: expected a duration with its unit, such as `30d`, or `none`",
        ),
    ] {
        assert_eq!(toml_error(text).to_string(), message);
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_or_with_all_there_are() {
    for (text, message) in [
        ("[cookie]\nsamesite = \"lax\"", "`cookie.samesite`: there is no such setting; did you mean `same_site`?"),
        ("enable = true", "`enable`: there is no such setting; did you mean `enabled`?"),
        (
            "saveUninitialized = true",
            "`saveUninitialized`: there is no such setting; did you mean `save_uninitialized`?",
        ),
        ("age = \"2h\"", "`age`: there is no such setting; its place is taken by `lifetimes.idle_timeout`"),
        (
            "[cookie]\nmaxAge = 1",
            "`cookie.maxAge`: there is no such setting; its place is taken by `lifetimes.idle_timeout`, with its unit",
        ),
        (
            "[lifetimes]\ncolour = 1",
            "`lifetimes.colour`: there is no such setting; there are `idle_timeout`, `absolute_timeout`, `remember_max`",
        ),
        (
            "also_read = [{ audience = \"a\" }, { name = \"a\" }]",
            "`also_read[1].name`: there is no such setting; there are `cookie_name`, `audience`",
        ),
        ("also_remove = [{ pth = \"/\" }]", "`also_remove[0].pth`: there is no such setting; did you mean `path`?"),
    ] {
        assert_eq!(toml_error(text).to_string(), message);
    }
}

#[test]
fn a_mistake_inside_of_a_list_is_named_with_its_place() {
    let error = toml_error("also_remove = [{ path = \"/a\" }, { same_site = \"any\" }]");
    assert_eq!(error.to_string(), "`also_remove[1].same_site`: expected `strict`, `lax` or `none`");
    let error = toml_error("also_read = [1]");
    assert_eq!(error.to_string(), "`also_read[0]`: expected a table, found a number");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let error = Config::from_json(r#"{ "cookie": { "secure": true, "secure": false } }"#).unwrap_err();
    assert_eq!(error.to_string(), "`cookie.secure`: it is given twice; take one of the two out");
    assert!(toml_error("resave = true\nresave = true").to_string().starts_with("line 2, column 1 is not TOML"));
}

#[test]
fn a_text_that_is_no_toml_or_json_is_refused_by_its_position() {
    assert!(toml_error("[cookie\nname = 1").to_string().starts_with("line 1, column 8 is not TOML"));
    let error = Config::from_json("{\n  enabled: true\n}").unwrap_err();
    assert!(error.to_string().starts_with("line 2, column 3 is not JSON"), "{error}");
    assert_eq!(error.setting(), "");
}
