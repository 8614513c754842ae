//! Behaviour, sections 1 and 8: settings, and the mistakes that are found when the store is built.

use std::time::Duration;

use sealed_session::cookie::{CookieAttributes, SameSite};
use sealed_session::events::Event;
use sealed_session::{
    ConfigError, Key, Lifetimes, Placement, ResponseFacts, Session, SessionManager, SessionManagerBuilder,
};

use crate::browser::Response;
use crate::support::{LARGE, Site, line, text};

#[test]
fn every_response_commits_by_default_and_a_policy_can_say_otherwise() {
    let site = Site::new();
    for status in [200, 302, 404, 422, 500] {
        let store = site.cookie_only().build().unwrap();
        let request = site.browser().begin(&store);
        request.session().put("errors", &1).unwrap();
        assert_eq!(request.commit_with(&ResponseFacts::new(status)).set_cookies.len(), 1);
    }
    let store = site.with_records().commit_when(|status| status < 500).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    site.records.take_calls();
    site.events.take();
    let writes: [fn(&Session); 2] =
        [|session| session.put("cart", &text(LARGE)).unwrap(), |session| session.regenerate().unwrap()];
    for write in writes {
        let request = browser.begin(&store);
        write(&request.session());
        assert!(request.commit_with(&ResponseFacts::new(500)).set_cookies.is_empty());
        assert!(site.events.take().iter().any(|event| matches!(event, Event::WritesDropped { .. })));
    }
    assert!(site.records.take_calls().is_empty());
    assert_eq!(browser.get(&store, "user"), Some(42));
}

#[test]
fn a_logout_holds_although_the_policy_takes_nothing_of_a_failed_response() {
    let site = Site::new();
    let store = site.with_records().commit_when(|status| status < 500).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    let request = browser.begin(&store);
    request.session().destroy().unwrap();
    let commit = request.commit_with(&ResponseFacts::new(500));
    assert!(crate::support::line(&commit).contains("Max-Age=0"), "{commit:?}");
}

#[test]
fn switched_off_it_passes_requests_through_with_a_session_that_is_dropped() {
    let site = Site::new();
    let mut browser = site.browser();
    browser.put(&site.with_records().build().unwrap(), "cart", text(LARGE));
    site.records.take_calls();
    let store = site.with_records().enabled(false).build().unwrap();
    let (_, response) = browser.visit(&store, |session| {
        assert!(session.is_empty());
        session.put("user", &42).unwrap();
        assert_eq!(session.get("user").unwrap(), Some(42));
    });
    assert_eq!(response, Response::default());
    assert!(site.records.take_calls().is_empty());
    assert!(browser.visit(&site.with_records().build().unwrap(), |session| session.has("cart").unwrap()).0);
}

#[test]
fn development_over_plain_http_renames_the_cookie_and_says_so() {
    let site = Site::new();
    let store = site.cookie_only().insecure_for_development().build().unwrap();
    assert_eq!(store.cookie_name(), "session");
    let mut browser = site.browser();
    let response = browser.put(&store, "user", 42);
    assert!(line(&response).starts_with("session="));
    assert!(line(&response).ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=7200"));
    assert_eq!(browser.get(&store, "user"), Some(42));
    assert!(settings_told(&site).contains(&"insecure_for_development"));
}

#[test]
fn an_empty_audience_is_told_and_a_named_one_is_not() {
    let site = Site::new();
    site.cookie_only().build().unwrap();
    assert!(settings_told(&site).is_empty());
    site.cookie_only().audience("").build().unwrap();
    assert_eq!(settings_told(&site), ["audience"]);
}

fn settings_told(site: &Site) -> Vec<&'static str> {
    let setting = |event| match event {
        Event::QuestionableSetting { setting, .. } => Some(setting),
        _ => None,
    };
    site.events.take().into_iter().filter_map(setting).collect()
}

fn error(configure: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> ConfigError {
    configure(SessionManager::builder(Key::generate().unwrap())).build().unwrap_err()
}

#[test]
fn a_setting_that_cannot_work_is_named() {
    let cookie = |attributes: CookieAttributes| error(|builder| builder.cookie(attributes));
    let lives = |lifetimes: Lifetimes| error(|builder| builder.lifetimes(lifetimes));
    let attributes = CookieAttributes::new;
    let errors = [
        (cookie(attributes().name("")), "name"),
        (cookie(attributes().name("a b")), "name"),
        (cookie(attributes().secure(false)), "secure"),
        (cookie(attributes().path("/shop")), "path"),
        (cookie(attributes().domain("example.com")), "domain"),
        (cookie(attributes().name("s").secure(false).same_site(SameSite::None)), "same_site"),
        (cookie(attributes().name("s").secure(false).partitioned(true)), "partitioned"),
        (error(|builder| builder.audience("a".repeat(257))), "audience"),
        (error(|builder| builder.padding_bucket_bytes(0)), "padding_bucket_bytes"),
        (error(|builder| builder.padding_bucket_bytes(1025)), "padding_bucket_bytes"),
        (error(|builder| builder.inline_limit_bytes(0)), "inline_limit_bytes"),
        (error(|builder| builder.inline_limit_bytes(200)), "inline_limit_bytes"),
        (error(|builder| builder.placement(Placement::Spill)), "placement"),
        (error(|builder| builder.placement(Placement::StoreOnly)), "placement"),
        (lives(Lifetimes::default().idle_timeout(Duration::ZERO)), "idle_timeout"),
        (lives(Lifetimes::default().absolute_timeout(Some(Duration::from_millis(1500)))), "absolute_timeout"),
        (lives(Lifetimes::default().absolute_timeout(None)), "remember_max"),
        (lives(Lifetimes::default().remember_max(Duration::from_secs(31 * 86_400))), "remember_max"),
    ];
    for (error, setting) in errors {
        assert_eq!(error.setting(), setting, "{error}");
        assert!(error.to_string().contains(setting), "{error}");
    }
}

#[test]
fn development_over_plain_http_still_refuses_what_browsers_refuse() {
    let embedded = CookieAttributes::new().same_site(SameSite::None);
    assert_eq!(error(|builder| builder.cookie(embedded).insecure_for_development()).setting(), "same_site");
}

#[test]
fn the_least_inline_limit_that_is_advised_works_with_the_default_attributes() {
    let site = Site::new();
    let store = site.with_records().inline_limit_bytes(512).build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    assert_eq!(browser.get(&store, "user"), Some(42));
}
