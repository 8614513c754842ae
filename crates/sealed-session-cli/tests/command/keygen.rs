//! `sealed-session keygen`

use sealed_session::{Key, Suite};

use super::support::{KeyFile, SUITES, run};

#[test]
fn a_key_of_the_suite_that_is_asked_for_is_printed_in_its_self_checking_form() {
    for suite in SUITES {
        let made = run(["keygen", "--suite", suite.name()], "");
        let key = Key::from_text(made.line()).unwrap();
        assert_eq!(key.suite(), suite);
        assert_eq!(*key.to_secret_text(), made.line());
    }
}

#[test]
fn without_a_suite_the_key_is_of_the_one_that_is_faster_here() {
    let made = run(["keygen"], "");
    assert_eq!(Key::from_text(made.line_with_remarks()).unwrap().suite(), Suite::fastest_here());
    let expected = match Suite::fastest_here() {
        Suite::Xaes => "suite: xaes: this machine has AES instructions",
        _ => "suite: xchacha: this machine has no AES instructions",
    };
    assert!(made.error.starts_with(expected), "{}", made.error);
}

#[test]
fn no_key_is_made_twice() {
    assert_ne!(run(["keygen"], "").line_with_remarks(), run(["keygen"], "").line_with_remarks());
}

#[test]
fn another_suite_is_wrong_usage_that_names_the_suites_there_are() {
    for suite in ["aes", "XAES", ""] {
        let outcome = run(["keygen", "--suite", suite], "");
        outcome.assert_failed(2);
        assert!(outcome.error.contains("xaes, xchacha"), "{}", outcome.error);
    }
}

#[test]
fn what_keygen_prints_is_a_key_file_for_seal_and_open() {
    for suite in SUITES {
        let keys = KeyFile::new(run(["keygen", "--suite", suite.name()], "").output);
        let json = r#"{"user":42,"name":"Zoë 🍪","cart":[{"n":1.5},null,true]}"#;
        let opened = keys.open(keys.seal(json)).json();
        assert_eq!(opened["payload"], serde_json::from_str::<serde_json::Value>(json).unwrap());
    }
}
