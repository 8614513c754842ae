//! One value of each setting that is not its default.

use sealed_session::Key;
use serde_json::{Value, json};

pub(crate) struct Sample {
    pub(crate) path: &'static str,
    pub(crate) toml: String,
    pub(crate) variable: String,
    /// As JSON takes it, and as it is written.
    pub(crate) json: Value,
}

pub(crate) fn samples() -> Vec<Sample> {
    let key = Key::generate().unwrap().to_secret_text();
    let mut samples = vec![
        switch("enabled", false),
        text("audience", "shop/prod"),
        text("store", "redis"),
        text("placement", "store_only"),
        text("renewal", "on_write"),
        switch("rolling", true),
        switch("clear_with_browser", true),
        switch("save_uninitialized", true),
        switch("resave", true),
        text("when_too_large", "fail"),
        text("on_store_failure", "ephemeral"),
        text("store_timeout", "1s 500ms"),
        text("accept_inline_until", "2027-01-01T00:00:00Z"),
        switch("insecure_for_development", true),
        text("keys.source", "file"),
        text("keys.variable", "SHOP_KEYS"),
        text("keys.path", "/run/secrets/session.keys"),
        text("keys.ring", &key),
        text("keys.poll_interval", "1m"),
        text("keys.grace", "10m"),
        text("cookie.name", "__Secure-shop"),
        text("cookie.path", "/shop"),
        text("cookie.domain", "example.com"),
        switch("cookie.secure", false),
        switch("cookie.http_only", false),
        text("cookie.same_site", "strict"),
        switch("cookie.partitioned", true),
        text("lifetimes.idle_timeout", "20m"),
        text("lifetimes.absolute_timeout", "12h"),
        text("lifetimes.remember_max", "6h"),
        number("sizes.inline_limit_bytes", 2048),
        number("sizes.record_limit_bytes", 65536),
        number("sizes.padding_bucket_bytes", 256),
    ];
    samples.push(Sample {
        path: "also_read",
        toml: r#"[{ cookie_name = "shop", audience = "old" }, { audience = "older" }]"#.to_owned(),
        variable: r#"[{"cookie_name":"shop","audience":"old"},{"audience":"older"}]"#.to_owned(),
        json: json!([{ "cookie_name": "shop", "audience": "old" }, { "audience": "older" }]),
    });
    let attributes = json!([{
        "name": "shop", "path": "/a", "domain": "example.com", "secure": false, "http_only": false,
        "same_site": "strict", "partitioned": true
    }]);
    samples.push(Sample {
        path: "also_remove",
        toml: r#"[{ name = "shop", path = "/a", domain = "example.com", secure = false, http_only = false,
            same_site = "strict", partitioned = true }]"#
            .to_owned(),
        variable: attributes.to_string(),
        json: attributes,
    });
    samples
}

fn text(path: &'static str, value: &str) -> Sample {
    Sample { path, toml: format!("\"{value}\""), variable: value.to_owned(), json: json!(value) }
}

fn switch(path: &'static str, value: bool) -> Sample {
    Sample { path, toml: value.to_string(), variable: value.to_string(), json: json!(value) }
}

fn number(path: &'static str, value: u64) -> Sample {
    Sample { path, toml: value.to_string(), variable: value.to_string(), json: json!(value) }
}

#[test]
fn every_setting_has_a_sample() {
    let sampled: Vec<_> = samples().iter().map(|sample| sample.path).collect();
    assert_eq!(sampled, crate::support::paths());
}
