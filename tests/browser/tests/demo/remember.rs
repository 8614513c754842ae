//! A login ends with the browser, unless it asks to be remembered.

use crate::{USER, log_in, scenario};

#[tokio::test]
async fn a_login_ends_with_the_browser() {
    scenario("ends", async |browser, demo| {
        log_in(&browser, &demo).await;
        assert!(browser.session_cookie().await.unwrap().expires().is_none());
        let browser = browser.restart().await;
        browser.open(&demo.page("/")).await;
        assert!(browser.session_cookie().await.is_none());
        assert!(browser.text("#user").await.is_none());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_login_that_is_remembered_outlives_the_browser() {
    scenario("remembered", async |browser, demo| {
        browser.open(&demo.page("/login")).await;
        browser.type_into("#name", USER).await;
        browser.click("#remember").await;
        browser.picture("checked").await;
        browser.send("main button").await;
        assert_eq!(browser.text("#visits").await.as_deref(), Some("1"));
        let browser = browser.restart().await;
        browser.open(&demo.page("/")).await;
        assert_eq!(browser.text("#user").await.as_deref(), Some(USER));
        assert_eq!(browser.text("#visits").await.as_deref(), Some("2"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_remembered_login_that_is_logged_out_does_not_come_back_with_the_browser() {
    scenario("not-remembered", async |browser, demo| {
        browser.open(&demo.page("/login")).await;
        browser.type_into("#name", USER).await;
        browser.click("#remember").await;
        browser.send("main button").await;
        browser.send("#logout").await;
        let browser = browser.restart().await;
        browser.open(&demo.page("/")).await;
        assert!(browser.text("#user").await.is_none());
        assert!(browser.session_cookie().await.is_none());
        (browser, demo)
    })
    .await;
}
