//! A form with rules: post, redirect, and the page again with what was wrong.

use crate::scenario;

#[tokio::test]
async fn a_form_comes_back_with_its_errors_and_what_was_typed_and_goes_through_when_it_is_right() {
    scenario("contact", async |browser, demo| {
        browser.open(&demo.page("/contact")).await;
        browser.picture("empty").await;
        browser.type_into("#name", "Zoë \"Z\" <b>").await;
        browser.type_into("#email", "zoe.example.com").await;
        browser.type_into("#message", "Short").await;
        browser.send("#send").await;

        assert_eq!(browser.path().await, "/contact");
        assert!(browser.text("#name-error").await.is_none());
        assert_eq!(browser.text("#email-error").await.as_deref(), Some("Give an address like zoe@example.com."));
        assert!(browser.text("#message-error").await.is_some());
        assert_eq!(browser.attribute("#email", "aria-describedby").await.as_deref(), Some("email-error"));
        assert_eq!(browser.attribute("#email", "aria-invalid").await.as_deref(), Some("true"));
        assert!(browser.attribute("#name", "aria-invalid").await.is_none());
        assert_eq!(browser.value("#name").await, "Zoë \"Z\" <b>");
        assert_eq!(browser.value("#email").await, "zoe.example.com");
        assert_eq!(browser.value("#message").await, "Short");
        assert!(browser.text("#notice").await.is_none());
        browser.picture("errors").await;

        browser.empty("#email").await;
        browser.type_into("#email", "zoe@example.com").await;
        browser.type_into("#message", "er than the rule allows").await;
        browser.send("#send").await;
        assert_eq!(browser.text("#notice").await.as_deref(), Some("Thank you, Zoë \"Z\" <b>. We have your message."));
        assert!(browser.text(".error").await.is_none());
        assert_eq!(browser.value("#name").await, "");
        browser.picture("thanks").await;
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn errors_and_old_input_are_gone_after_they_were_shown() {
    scenario("contact-once", async |browser, demo| {
        browser.open(&demo.page("/contact")).await;
        browser.type_into("#name", "Zoë").await;
        browser.send("#send").await;
        assert_eq!(browser.value("#name").await, "Zoë");
        assert!(browser.text("#message-error").await.is_some());
        browser.open(&demo.page("/contact")).await;
        assert_eq!(browser.value("#name").await, "");
        assert!(browser.text(".error").await.is_none());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_form_too_large_for_the_cookie_keeps_its_errors_and_what_was_typed() {
    scenario("contact-large", async |browser, demo| {
        browser.open(&demo.page("/contact")).await;
        browser.script("document.getElementById('message').value = 'x'.repeat(20000)").await;
        browser.send("#send").await;
        assert!(browser.text("#message-error").await.is_some());
        assert!(browser.text("#name-error").await.is_some());
        assert_eq!(browser.value("#message").await.len(), 20_000);
        (browser, demo)
    })
    .await;
}
