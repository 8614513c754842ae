//! Stores that need no sweep, and stores that the command was built without.

use crate::support::run;

#[test]
fn an_engine_that_removes_by_itself_is_left_to_that() {
    for (store, name) in [("redis", "Redis"), ("dynamodb", "DynamoDB")] {
        let line = format!("{name} removes expired records by itself; nothing was asked of it");
        assert_eq!(run(["sweep", "--store", store], "").line(), line);
    }
}

#[test]
fn a_store_without_its_feature_is_refused_with_the_line_that_mends_it() {
    let stores = [
        ("sqlite", cfg!(feature = "sqlite")),
        ("postgres", cfg!(feature = "postgres")),
        ("mysql", cfg!(feature = "mysql")),
        ("mongodb", cfg!(feature = "mongodb")),
    ];
    for (store, is_built) in stores {
        // The variable is not set: what this build lacks is said before it is looked for.
        let outcome = run(["sweep", "--store", store, "--url-from-env", "SEALED_SESSION_TEST_NO_URL"], "");
        outcome.assert_failed(2);
        let is_mended =
            outcome.error.contains(&format!("cargo install --path crates/sealed-session-cli --features {store}"));
        assert_eq!(is_mended, !is_built, "{}", outcome.error);
        assert_eq!(outcome.error.contains("SEALED_SESSION_TEST_NO_URL is not set"), is_built, "{}", outcome.error);
    }
}
