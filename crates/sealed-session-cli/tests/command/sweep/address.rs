//! The URL of a database, which is read from everywhere but the arguments, and never shown.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb"))]
use crate::support::KeyFile;
use crate::support::{assert_hides, end, run, start_with};

/// A store that this build can sweep.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb"))]
const STORE: &str = if cfg!(feature = "sqlite") {
    "sqlite"
} else if cfg!(feature = "postgres") {
    "postgres"
} else if cfg!(feature = "mysql") {
    "mysql"
} else {
    "mongodb"
};

const SECRET: &str = "hunter2hunter2";

#[test]
fn a_url_among_the_arguments_is_refused_and_not_shown() {
    let url = format!("postgres://a:{SECRET}@b/c");
    assert!(url.len() > 24);
    for url in [url.as_str(), "mysql://a:hunter2@b/c"] {
        for arguments in [
            &["sweep", url][..],
            &["sweep", "--store", url],
            &["sweep", "--store", "postgres", url],
            &["sweep", "--store", "postgres", "--url", url],
            &["sweep", "--store", "postgres", "--url-from-env", url],
            &["sweep", "--store", "postgres", "--url-from-file", url],
            &["sweep", "--store", "postgres", "--url-from-env", "A", "--every", url],
        ] {
            let outcome = run(arguments, "");
            outcome.assert_failed(2);
            assert!(!outcome.error.contains("hunter2"), "{}", outcome.error);
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql", feature = "mongodb"))]
#[test]
fn a_url_that_cannot_be_read_is_wrong_usage_that_names_its_place() {
    let empty = KeyFile::new("\n");
    let long = KeyFile::new("x".repeat(8193));
    let binary = KeyFile::new(b"\xff");
    for (arguments, named) in [
        (&[][..], "--url-from-env VARIABLE"),
        (&["--url-from-env", ""], "the name of an environment variable"),
        (&["--url-from-env", "A B"], "the name of an environment variable"),
        (
            &["--url-from-env", "SEALED_SESSION_TEST_NO_URL"],
            "the environment variable SEALED_SESSION_TEST_NO_URL is not set",
        ),
        (&["--url-from-env", "A", "--url-from-file", "b"], "cannot be used with"),
        (&["--url-from-file", "no such file"], "no such file"),
        (&["--url-from-file", "-"], "standard input is empty"),
        (&["--url-from-file", empty.path()], "is empty"),
        (&["--url-from-file", long.path()], "more than 8192 bytes"),
        (&["--url-from-file", binary.path()], "not UTF-8"),
    ] {
        let outcome = run(["sweep", "--store", STORE].iter().chain(arguments), "");
        outcome.assert_failed(2);
        assert!(outcome.error.contains(named), "{}", outcome.error);
    }
}

#[test]
fn no_error_shows_the_url() {
    for store in ["sqlite", "postgres", "mysql", "mongodb"] {
        for url in [
            format!("other://app:{SECRET}@127.0.0.1/app"),
            format!("{store}://app:{SECRET}@127.0.0.1:none/app"),
            format!("{store}://app:{SECRET}"),
            // A password whose `?` is not encoded: its end looks like options.
            format!("{store}://app:1?{SECRET}=1&sslmode={SECRET}&ssl-mode={SECRET}&mode={SECRET}&w={SECRET}@host/app"),
            SECRET.to_owned(),
        ] {
            let child = start_with(&[("A", &url)], ["sweep", "--store", store, "--url-from-env", "A"]);
            let outcome = end(child);
            assert_ne!(outcome.code, 0);
            assert_eq!(outcome.output, "");
            assert_hides(&outcome.error, SECRET);
        }
    }
}
