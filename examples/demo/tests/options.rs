//! What the demo takes from its arguments and its environment.

use std::path::Path;
use std::time::Duration;

use sealed_session::Lifetimes;
use sealed_session_demo::options::Options;

fn options(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Option<Options>, String> {
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Options::new(arguments.iter().map(|&argument| argument.to_owned()), variable)
}

#[test]
fn without_arguments_and_variables_the_lifetimes_are_those_of_the_crate() {
    let options = options(&[], &[]).unwrap().unwrap();
    assert_eq!(options.lifetimes, Lifetimes::default());
    assert_eq!((options.operator, options.keys.as_path()), (None, Path::new("demo.keys")));
}

#[test]
fn an_argument_goes_before_a_variable() {
    let variables = [("SESSION_KEYS_PATH", "of-the-environment"), ("SESSION_KEYS_GRACE_SECONDS", "9")];
    let given = options(&["--keys", "of-the-argument"], &variables).unwrap().unwrap();
    assert_eq!((given.keys.as_path(), given.keys_grace), (Path::new("of-the-argument"), Duration::from_secs(9)));
    assert_eq!(options(&[], &variables).unwrap().unwrap().keys, Path::new("of-the-environment"));
}

#[test]
fn what_is_not_understood_is_told_by_its_name() {
    for (arguments, variables, expected) in [
        (&["--listen", "3011"][..], &[][..], "3011"),
        (&["--operator"], &[], "--operator"),
        (&["--colour"], &[], "--colour"),
        (&[], &[("SESSION_IDLE_SECONDS", "2h")], "SESSION_IDLE_SECONDS"),
    ] {
        let problem = options(arguments, variables).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn the_operator_listens_on_this_machine_alone() {
    for refused in ["0.0.0.0:3012", "192.0.2.1:3012", "[::]:3012"] {
        assert!(options(&["--operator", refused], &[]).is_err(), "{refused}");
    }
    for taken in ["127.0.0.1:3012", "[::1]:3012"] {
        assert_eq!(options(&["--operator", taken], &[]).unwrap().unwrap().operator, taken.parse().ok());
    }
}
