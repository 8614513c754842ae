//! `sealed-session size`

use sealed_session::sealer::Sealer;
use sealed_session::{Key, Timestamp};
use serde_json::{Value, json};

use super::support::{KeyFile, Outcome, assert_hides, run};

fn size(more: &[&str], input: &str) -> Outcome {
    run(["size", "--json"].iter().chain(more), input)
}

fn object(bytes: usize) -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8))
}

fn limit<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["limits"].as_array().unwrap().iter().find(|limit| limit["name"] == name).unwrap()
}

#[test]
fn the_members_are_listed_largest_first_and_add_up() {
    let answer = size(&[], r#" {"user": 42, "cart": ["book", "pen"], "~": {"flash": {"a": 100}}} "#).json();
    let expected = [("~", 23), ("cart", 21), ("user", 9)].map(|(name, bytes)| json!({ "name": name, "bytes": bytes }));
    assert_eq!(answer["keys"], json!(expected));
    assert_eq!(answer["own_keys"], json!([{ "name": "flash", "bytes": 17 }]));
    assert_eq!(answer["payload_bytes"], 23 + 21 + 9 + 2 + 2);
    assert_eq!(answer["fits"], true);
}

#[test]
fn the_lengths_are_those_of_the_cookie_that_would_be_sealed() {
    let keys = KeyFile::of(&[&Key::generate().unwrap()]);
    for bytes in [8, 100, 1000, 2979] {
        let text = keys.seal(&object(bytes));
        let answer = size(&[], &object(bytes)).json();
        assert_eq!(answer["value_characters"], text.len());
        let line = format!("__Host-session={text}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=34560000");
        assert_eq!(answer["set_cookie_bytes"], line.len());
        assert_eq!(run(["inspect", "--json"], &text).json()["plaintext_bytes"], answer["plaintext_bytes"]);
        assert_eq!(size(&["--keys", keys.path()], &text).json(), answer);
    }
}

#[test]
fn each_limit_says_what_is_left_under_it() {
    let answer = size(&[], &object(1000)).json();
    for (name, max_bytes, payload_max_bytes) in
        [("browser", 4096, 2979), ("with_store", 3072, 2167), ("nginx", 4096, 2924)]
    {
        let limit = limit(&answer, name);
        assert_eq!(limit["max_bytes"], max_bytes, "{name}");
        assert_eq!(limit["payload_max_bytes"], payload_max_bytes, "{name}");
        assert_eq!(limit["left_bytes"], payload_max_bytes - 1000, "{name}");
        assert_eq!(limit["fits"], true, "{name}");
    }
    assert_eq!(answer["limits"].as_array().unwrap().len(), 3);
}

#[test]
fn what_fits_no_cookie_is_told_with_how_much_it_is_too_large() {
    size(&[], &object(2979)).json();
    let error = "error: too large: 3000 bytes of JSON, 2979 are the most under the limit `browser`\n";
    let answer = size(&[], &object(3000)).json_of_failure(error);
    assert_eq!((&answer["fits"], &limit(&answer, "browser")["left_bytes"]), (&json!(false), &json!(-21)));
    assert!(answer["value_characters"].as_u64().unwrap() > 4082);
    let shown = run(["size"], object(3000));
    assert_eq!((shown.code, shown.error.as_str()), (1, error));
    assert!(shown.output.contains("     -21  browser") && shown.output.contains("does not fit"), "{}", shown.output);
}

#[test]
fn the_applications_own_limit_decides_and_the_recommended_ones_do_not() {
    let answer = size(&[], &object(2500)).json();
    assert_eq!((&answer["fits"], &limit(&answer, "with_store")["fits"]), (&json!(true), &json!(false)));
    let own = ["--limit", "2000"];
    let most = limit(&size(&own, "{}").json(), "--limit")["payload_max_bytes"].as_u64().unwrap();
    let most = usize::try_from(most).unwrap();
    let answer = size(&own, &object(most)).json();
    assert!(answer["set_cookie_bytes"].as_u64().unwrap() <= 2000);
    let outcome = size(&own, &object(most + 1));
    assert_eq!(outcome.code, 1);
    assert!(outcome.error.contains("under the limit `--limit`"), "{}", outcome.error);
    // Nothing fits beside name and attributes.
    assert_eq!(size(&["--limit", "50"], "{}").code, 1);
}

#[test]
fn a_longer_name_leaves_less_room() {
    let name = format!("__Host-{}", "n".repeat(93));
    let answer = size(&["--cookie-name", &name], "{}").json();
    assert_eq!(limit(&answer, "browser")["payload_max_bytes"], (4096 - 100) * 3 / 4 - 82);
}

#[test]
fn a_cookie_that_is_too_old_is_measured_and_its_data_is_not_shown() {
    let key = Key::generate().unwrap();
    let keys = KeyFile::of(&[&key]);
    let sealer = Sealer::builder(key).build().unwrap();
    let text = sealer.seal(&json!({ "user": "correct-horse" }), Timestamp::from_unix_seconds(1_700_000_000)).unwrap();
    let outcome = run(["size", "--keys", keys.path()], format!("Cookie: __Host-session={text}"));
    assert_eq!((outcome.code, outcome.error.as_str()), (0, ""));
    assert!(outcome.output.contains("      22  user\n"), "{}", outcome.output);
    assert_hides(&outcome.output, "correct-horse");
    size(&["--keys", keys.path(), "--audience", "other"], &text).assert_refused("unauthentic");
}

#[test]
fn what_is_no_json_object_is_not_measured_and_not_shown() {
    const SECRET: &str = "correct-horse";
    for (input, problem) in [
        (String::new(), "EOF"),
        (format!("\"{SECRET}\""), "not an object"),
        (format!("{{\"{SECRET}\":{SECRET}}}"), "line 1"),
        ("{\"n\":1e400}".to_owned(), "number"),
        ("x".repeat(1024 * 1024 + 1), "more than 1048576 bytes"),
    ] {
        let outcome = size(&[], &input);
        outcome.assert_failed(1);
        assert!(outcome.error.starts_with("error: not measured: ") && outcome.error.contains(problem), "{outcome:?}");
        assert_hides(&outcome.error, SECRET);
    }
}
