//! A message is shown once, on the first page that shows messages.

use serde_json::json;

use crate::{USER, log_in, scenario};

#[tokio::test]
async fn a_message_is_shown_after_the_redirect_and_never_again() {
    scenario("flash-once", async |browser, demo| {
        log_in(&browser, &demo).await;
        assert_eq!(browser.text("#notice").await.as_deref(), Some("You are logged in."));
        assert_eq!(browser.attribute("#notice", "role").await.as_deref(), Some("status"));
        browser.picture("message").await;
        browser.reload().await;
        assert!(browser.text("#notice").await.is_none());

        browser.open(&demo.page("/cart")).await;
        browser.send("#add").await;
        assert_eq!(browser.text("#notice").await.as_deref(), Some("Oat biscuits: now in your cart."));
        browser.open(&demo.page("/")).await;
        assert!(browser.text("#notice").await.is_none());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn pictures_and_a_background_fetch_do_not_eat_a_message() {
    scenario("flash-pictures", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser.open(&demo.page("/pixels")).await;
        browser.send("#leave").await;
        assert_eq!(browser.path().await, "/pixels");
        assert!(browser.text("#notice").await.is_none());
        let loaded = browser
            .background(
                "const until = () => [...document.images].every(image => image.complete)
                     && document.getElementById('whoami').textContent !== 'nothing yet'
                     ? done([[...document.images].filter(image => image.naturalWidth).length,
                             document.getElementById('whoami').textContent])
                     : setTimeout(until, 20);
                 until();",
            )
            .await;
        assert_eq!(loaded, json!([6, USER]));
        browser.picture("pictures").await;

        browser.open(&demo.page("/")).await;
        assert_eq!(browser.text("#notice").await.as_deref(), Some("This message has waited for you."));
        browser.reload().await;
        assert!(browser.text("#notice").await.is_none());
        (browser, demo)
    })
    .await;
}
