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

/// Opens a trap and tells why its post was refused.
async fn reason_of_refusal(browser: &Browser, trap: &str) -> Option<String> {
    assert_eq!(browser.open_and_follow(trap, "/cart/add").await, 403);
    assert_eq!(browser.text("h1").await.as_deref(), Some("The form was refused"));
    browser.attribute("#refused", "data-reason").await
}

/// Posts fields, as JavaScript writes them, from a page of the demo itself, and tells the status of the answer.
async fn post(browser: &Browser, path: &str, fields: &str) -> serde_json::Value {
    let script =
        "fetch(PATH, { method: 'POST', body: new URLSearchParams(FIELDS) }).then(answer => done(answer.status));";
    browser.background(&script.replace("PATH", &format!("'{path}'")).replace("FIELDS", fields)).await
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
        // What an attacker can have: a token of another session, here one that has ended.
        let foreign = token(&browser, &demo, "/cart").await;
        assert_eq!(post(&browser, "/forget", &format!("{{ _csrf: '{foreign}' }}")).await, 200);
        assert!(browser.session_cookie().await.is_none());
        log_in(&browser, &demo).await;
        // Another port is another origin and the same site, so the cookie is sent.
        let with_foreign = trap(&demo, &foreign).address("localhost");
        assert_eq!(reason_of_refusal(&browser, &with_foreign).await.as_deref(), Some("mismatch"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("0"));

        // The proof that the trap works: with a good token, which no other origin can know, it does.
        let good = token(&browser, &demo, "/cart").await;
        assert_eq!(browser.open_and_follow(&trap(&demo, &good).address("localhost"), "/cart").await, 200);
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
            assert_eq!(post(&browser, path, "{ name: 'Eve' }").await, 403, "{path}");
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
            let fields = format!("{{ _csrf: '{token}' }}");
            assert_eq!(post(&browser, "/cart/add", &fields).await, expected);
        }
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("1"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_form_that_has_the_field_twice_or_is_too_long_is_refused() {
    scenario("odd-forms", async |browser, demo| {
        let token = token(&browser, &demo, "/cart").await;
        for (fields, expected) in [
            (format!("[['_csrf', '{token}'], ['_csrf', '{token}']]"), 403),
            (format!("{{ _csrf: '{token}', more: 'x'.repeat(65536) }}"), 413),
        ] {
            assert_eq!(post(&browser, "/cart/add", &fields).await, expected);
        }
        assert_eq!(items(&browser, &demo).await.as_deref(), Some("0"));
        (browser, demo)
    })
    .await;
}
