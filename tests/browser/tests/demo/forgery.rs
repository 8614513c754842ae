//! Posts that this site's pages did not make are refused.

use sealed_session_browser_tests::{Browser, Demo, OtherSite};

use crate::{USER, log_in, scenario};

/// A page that posts to the demo's cart as soon as it is opened.
fn trap(demo: &Demo, token: &str) -> OtherSite {
    OtherSite::start(&format!(
        "<!doctype html><title>You have won</title><form method=post action='{}'>\
         <input type=hidden name=_csrf value='{token}'></form><script>document.forms[0].submit()</script>",
        demo.page("/cart/add")
    ))
}

/// Opens a trap and tells why its post was refused, once its answer is there.
async fn reason_of_refusal(browser: &Browser, address: &str) -> Option<String> {
    browser.open(address).await;
    while browser.path().await != "/cart/add" || browser.text("h1").await.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let status = browser.script("return performance.getEntriesByType('navigation')[0].responseStatus").await;
    assert_eq!(status, 403);
    assert_eq!(browser.text("h1").await.as_deref(), Some("The form was refused"));
    browser.attribute("#refused", "data-reason").await
}

async fn token(browser: &Browser, demo: &Demo, page: &str) -> String {
    browser.open(&demo.page(page)).await;
    browser.value("main input[name=_csrf]").await
}

async fn items(browser: &Browser, demo: &Demo) -> Option<String> {
    browser.open(&demo.page("/cart")).await;
    browser.text("#items").await
}

#[tokio::test]
async fn a_post_from_another_site_comes_without_the_session_and_is_refused() {
    scenario("other-site", async |browser, demo| {
        log_in(&browser, &demo).await;
        // Even with a token that is good: `SameSite=Lax` keeps the cookie back.
        let good = token(&browser, &demo, "/cart").await;
        let trap = trap(&demo, &good).address("127.0.0.1");
        assert_eq!(reason_of_refusal(&browser, &trap).await.as_deref(), Some("no-session"));
        browser.picture("refused").await;
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("0"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_post_from_another_origin_of_the_site_has_the_session_and_is_refused_for_its_token() {
    scenario("other-origin", async |browser, demo| {
        // What an attacker can have: a token of a session of his own.
        let foreign = token(&browser, &demo, "/cart").await;
        log_in(&browser, &demo).await;
        // Another port is another origin and the same site, so the cookie is sent.
        let with_foreign = trap(&demo, &foreign).address("localhost");
        assert_eq!(reason_of_refusal(&browser, &with_foreign).await.as_deref(), Some("mismatch"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("0"));

        // The proof that the trap works: with a good token, which no other origin can know, it does.
        let good = token(&browser, &demo, "/cart").await;
        browser.open(&trap(&demo, &good).address("localhost")).await;
        while browser.path().await != "/cart" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("1"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_post_without_the_field_is_refused_for_every_form() {
    scenario("no-field", async |browser, demo| {
        log_in(&browser, &demo).await;
        for path in
            ["/login", "/logout", "/forget", "/cart/add", "/cart/fill", "/cart/empty", "/contact", "/pixels/message"]
        {
            let status = format!("fetch('{path}', {{ method: 'POST' }}).then(answer => done(answer.status));");
            assert_eq!(browser.background(&status).await, 403, "{path}");
        }
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("0"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_token_of_before_the_login_is_refused_after_it_and_one_of_after_it_is_not() {
    scenario("stale-token", async |browser, demo| {
        let before = token(&browser, &demo, "/cart").await;
        log_in(&browser, &demo).await;
        let after = token(&browser, &demo, "/cart").await;
        for (token, expected) in [(before, 403), (after, 200)] {
            let status = format!(
                "fetch('/cart/add', {{ method: 'POST', body: new URLSearchParams({{ _csrf: '{token}' }}) }})
                     .then(answer => done(answer.status));"
            );
            assert_eq!(browser.background(&status).await, expected);
        }
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("1"));
        (browser, demo)
    })
    .await;
}
