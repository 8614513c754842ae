//! A configuration that is written reads back.

use proptest::prelude::*;
use sealed_session::{Config, Key};

use crate::samples::samples;
use crate::support::{json, nested, toml, toml_error, written};

#[test]
fn every_setting_reads_back_as_it_was_written() {
    for sample in samples().iter().filter(|sample| sample.path != "keys.ring") {
        let first = written(&json(&nested(sample.path, sample.json.clone())).unwrap());
        assert_eq!(written(&json(&first).unwrap()), first, "{}", sample.path);
    }
}

#[test]
fn a_configuration_reads_back_through_toml() {
    let all = samples()
        .iter()
        .filter(|sample| sample.path != "keys.ring")
        .fold(String::new(), |file, sample| format!("{file}{} = {}\n", sample.path, sample.toml));
    let config = toml(&all);
    let text = toml::to_string(&config).unwrap();
    assert_eq!(written(&toml(&text)), written(&config));
    let defaults = toml::to_string(&Config::default()).unwrap();
    assert_eq!(written(&toml(&defaults)), written(&Config::default()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_choice_of_settings_reads_back_and_is_equal(chosen in prop::collection::vec(any::<bool>(), samples().len())) {
        let all = samples();
        let some = all.iter().zip(chosen).filter(|(sample, chosen)| *chosen && sample.path != "keys.ring");
        let file = some.fold(String::new(), |file, (sample, _)| format!("{file}{} = {}\n", sample.path, sample.toml));
        let config = toml(&file);
        let read = json(&written(&config)).unwrap();
        prop_assert_eq!(&read, &config);
        prop_assert_eq!(config == Config::default(), file.is_empty());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        for config in [Config::from_toml(&text), Config::from_json(&text)].into_iter().flatten() {
            prop_assert_eq!(json(&written(&config)).unwrap(), config);
        }
    }
}

#[test]
fn keys_are_left_out_and_cannot_be_read_back() {
    let key = Key::generate().unwrap().to_secret_text();
    let config = toml(&format!("keys = {{ source = \"inline\", ring = \"{}\" }}", *key));
    let text = toml::to_string(&config).unwrap();
    assert!(text.contains("ring = \"<redacted>\""), "{text}");
    assert_eq!(
        toml_error(&text).to_string(),
        "`keys.ring`: these keys were left out when the configuration was written; put them in again"
    );
}
