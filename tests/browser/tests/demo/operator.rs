//! What the operator of the shop sees of its keys.

use sealed_session::{Clock as _, Key, SystemClock};

use crate::{log_in, scenario};

#[tokio::test]
async fn the_operator_sees_what_each_key_does_and_never_a_key() {
    scenario("operator", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser.open(&demo.page("/session")).await;
        let first = browser.text("#key").await.unwrap();
        browser.open(&demo.operator_page()).await;
        assert_eq!(browser.text("tbody .state").await.as_deref(), Some("sealing"));
        assert_eq!(browser.text("tbody .removable").await.as_deref(), Some("no"));
        assert_eq!(browser.text("tbody code").await, Some(first.clone()));
        browser.picture("one-key").await;

        let ring = std::fs::read_to_string(demo.keys()).unwrap();
        let next = Key::generate().unwrap().to_secret_text();
        let seal_from = SystemClock.now().to_rfc3339();
        std::fs::write(demo.keys(), format!("{ring}{} seal-from={seal_from}\n", *next)).unwrap();
        browser.reload_until(&format!("[id='key-{first}'].opening")).await;
        assert_eq!(browser.text("tbody .sealing code").await.map(|id| id == first), Some(false));
        browser.picture("two-keys").await;
        let page = browser.script("return document.documentElement.outerHTML").await.to_string();
        assert!(!page.contains("ssk1."));

        browser.open(&demo.page("/")).await;
        browser.open(&demo.page("/session")).await;
        assert_ne!(browser.text("#key").await, Some(first));
        assert!(browser.text(".who").await.is_some());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_is_told_to_the_operator_and_logs_nobody_out() {
    scenario("broken-ring", async |browser, demo| {
        log_in(&browser, &demo).await;
        std::fs::write(demo.keys(), "no key\n").unwrap();
        browser.open(&demo.operator_page()).await;
        browser.reload_until("#problem").await;
        let problem = browser.text("#problem").await.unwrap();
        assert!(problem.contains("demo.keys") && problem.contains("line 1"), "{problem}");
        browser.picture("problem").await;
        browser.open(&demo.page("/")).await;
        assert!(browser.text("#user").await.is_some());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn the_shop_shows_nobody_its_keys() {
    scenario("no-keys", async |browser, demo| {
        browser.open(&demo.page("/")).await;
        for path in ["/keys", "/keys.json"] {
            let status = browser.background(&format!("fetch('{path}').then(answer => done(answer.status))")).await;
            assert_eq!(status, 404, "{path}");
        }
        (browser, demo)
    })
    .await;
}
