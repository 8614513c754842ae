//! Environment variables over a file.

use sealed_session::Config;
use serde_json::json;

use crate::support::{at, overridden, toml, written};

fn error(variables: &[(&str, &str)]) -> String {
    overridden(variables).unwrap_err().to_string()
}

#[test]
fn a_variable_counts_before_the_file_and_leaves_the_rest_of_it() {
    let file = toml("audience = \"shop\"\n[cookie]\nname = \"shop\"\nsame_site = \"none\"");
    let config = file.overridden_by([("SEALED_SESSION_COOKIE__SAME_SITE", "strict")]).unwrap();
    let written = written(&config);
    assert_eq!(at(&written, "cookie.same_site"), Some(&json!("strict")));
    assert_eq!(at(&written, "cookie.name"), Some(&json!("shop")));
    assert_eq!(at(&written, "audience"), Some(&json!("shop")));
}

#[test]
fn the_driver_names_the_store_unless_the_stores_own_variable_does() {
    assert_eq!(overridden(&[("SESSION_DRIVER", "redis")]).unwrap().store_name(), Some("redis"));
    assert_eq!(overridden(&[("SESSION_DRIVER", "cookie")]).unwrap().store_name(), None);
    let both = [("SESSION_DRIVER", "redis"), ("SEALED_SESSION_STORE", "memory")];
    assert_eq!(overridden(&both).unwrap().store_name(), Some("memory"));
    assert!(
        error(&[("SESSION_DRIVER", "")]).starts_with("`store` (from the variable `SESSION_DRIVER`): expected `cookie`")
    );
}

#[test]
fn other_variables_are_passed_over() {
    let others = [("HOME", "/root"), ("SEALED_SESSIONS", "x"), ("sealed_session_enabled", "x"), ("SESSION_KEYS", "x")];
    assert_eq!(written(&overridden(&others).unwrap()), written(&Config::default()));
}

#[test]
fn an_unknown_variable_of_the_prefix_is_refused() {
    for (name, message) in [
        (
            "SEALED_SESSION_COOKIE__SAMESITE",
            "`SEALED_SESSION_COOKIE__SAMESITE`: there is no such setting; did you mean `SEALED_SESSION_COOKIE__SAME_SITE`?",
        ),
        (
            "SEALED_SESSION_COLOUR_SCHEME",
            "`SEALED_SESSION_COLOUR_SCHEME`: there is no such setting; unset the variable",
        ),
        (
            "SEALED_SESSION_COOKIE",
            "`SEALED_SESSION_COOKIE`: it is a section; its settings are variables that begin with `SEALED_SESSION_COOKIE__`",
        ),
        (
            "SEALED_SESSION_ALSO_READ__0__AUDIENCE",
            "`SEALED_SESSION_ALSO_READ__0__AUDIENCE`: there is no such setting; `SEALED_SESSION_ALSO_READ` is one as a \
             whole, a list as JSON",
        ),
        (
            "SEALED_SESSION_MAY_BE__A_SECRET_WITH_UNDERSCORES",
            "`SEALED_SESSION_…`: there is no such setting, and the rest of the name may be a secret; unset the variable",
        ),
    ] {
        assert_eq!(error(&[(name, "x")]), message);
    }
    assert!(error(&[("SEALED_SESSION_", "x")]).starts_with("`SEALED_SESSION_…`: there is no such setting"));
}

#[test]
fn the_variable_that_holds_the_keys_may_have_the_prefix() {
    let name = "SEALED_SESSION_KEYS";
    assert!(overridden(&[(name, "x"), ("SEALED_SESSION_KEYS__VARIABLE", name)]).is_ok());
    assert!(overridden(&[(name, "x")]).is_err());
    let file = toml("[keys]\nsource = \"file\"\npath = \"/a\"\nvariable = \"SEALED_SESSION_KEYS\"");
    assert!(file.overridden_by([(name, "x")]).is_err());
}

#[test]
fn an_empty_variable_takes_a_setting_away_that_can_be_left_out() {
    let file = "also_remove = [{ name = \"shop\" }]\n[cookie]\ndomain = \"example.com\"";
    let variables = [("SEALED_SESSION_COOKIE__DOMAIN", ""), ("SEALED_SESSION_ALSO_REMOVE", "")];
    let config = toml(file).overridden_by(variables).unwrap();
    assert_eq!(written(&config), written(&Config::default()));
    for name in ["SEALED_SESSION_ENABLED", "SEALED_SESSION_LIFETIMES__IDLE_TIMEOUT", "SEALED_SESSION_KEYS__SOURCE"] {
        assert!(overridden(&[(name, "")]).is_err(), "{name}");
    }
}

#[test]
fn a_list_in_a_variable_replaces_the_files() {
    let file = toml("also_read = [{ audience = \"a\" }, { audience = \"b\" }]");
    let config = file.overridden_by([("SEALED_SESSION_ALSO_READ", "[{\"audience\":\"c\"}]")]).unwrap();
    assert_eq!(at(&written(&config), "also_read"), Some(&json!([{ "audience": "c" }])));
    let message = error(&[("SEALED_SESSION_ALSO_READ", "audience=c")]);
    assert!(message.contains("expected a list of tables, as JSON"), "{message}");
    let message = error(&[("SEALED_SESSION_ALSO_READ", "[{\"audience\":1}]")]);
    assert!(message.starts_with("`also_read[0].audience` (from the variable"), "{message}");
}

#[test]
fn a_switch_in_a_variable_is_one_of_two_words() {
    for text in ["1", "yes", "TRUE", "on", " true", ""] {
        assert!(error(&[("SEALED_SESSION_RESAVE", text)]).ends_with("expected `true` or `false`"), "{text}");
    }
}

#[test]
fn rolling_and_renewal_replace_one_another() {
    let config = toml("renewal = \"on_write\"").overridden_by([("SEALED_SESSION_ROLLING", "true")]).unwrap();
    assert_eq!(at(&written(&config), "renewal"), None);
    let config = toml("rolling = true").overridden_by([("SEALED_SESSION_RENEWAL", "on_write")]).unwrap();
    assert_eq!(at(&written(&config), "rolling"), None);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_utf_8_is_refused_by_the_variables_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let value = OsStr::from_bytes(b"stri\xffct");
    let variable = (OsStr::new("SEALED_SESSION_COOKIE__SAME_SITE"), value);
    let error = Config::default().overridden_by([variable]).unwrap_err();
    assert_eq!(error.variable(), Some("SEALED_SESSION_COOKIE__SAME_SITE"));
    assert!(error.to_string().contains("is no UTF-8"), "{error}");
    let others = [(OsStr::new("HOME"), value), (value, value)];
    assert!(Config::default().overridden_by(others).is_ok());
    let name = OsStr::from_bytes(b"SEALED_SESSION_\xff");
    assert!(Config::default().overridden_by([(name, OsStr::new(""))]).is_err());
}

/// A variable cannot be set in a process of several threads: the test runs itself again in one that has it.
#[test]
fn the_own_variables_of_the_process_are_read() {
    let name = "SEALED_SESSION_AUDIENCE";
    if std::env::var_os(name).is_some() {
        let config = Config::default().overridden_by_environment().unwrap();
        assert_eq!(at(&written(&config), "audience"), Some(&json!("of the process")));
        return;
    }
    let itself = std::env::current_exe().unwrap();
    let arguments = ["--exact", "variables::the_own_variables_of_the_process_are_read"];
    let output = std::process::Command::new(itself).args(arguments).env(name, "of the process").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}
