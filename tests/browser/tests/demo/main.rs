//! What a person sees of the demo, and what the browser keeps.
#![expect(clippy::expect_used, reason = "a test fails loudly")]

use std::future::Future;
use std::time::Duration;

use sealed_session_browser_tests::{Browser, Demo};

mod contact;
mod flash;
mod forgery;
mod operator;
mod remember;
mod visit;

const USER: &str = "Zoë & <b>Max</b>";

/// Runs one scenario in a browser of its own, for two minutes at most.
async fn scenario<F: Future<Output = (Browser, Demo)>>(name: &str, run: impl FnOnce(Browser, Demo) -> F) {
    let limit = Duration::from_secs(120);
    let demo = Demo::start(name);
    let browser = Browser::start(name).await;
    let (browser, _demo) = tokio::time::timeout(limit, run(browser, demo)).await.expect("within two minutes");
    browser.end().await;
}

async fn log_in(browser: &Browser, demo: &Demo) {
    browser.open(&demo.page("/login")).await;
    browser.type_into("#name", USER).await;
    browser.send("main button").await;
    assert_eq!(browser.path().await, "/");
    assert_eq!(browser.text("#user").await.as_deref(), Some(USER));
}
