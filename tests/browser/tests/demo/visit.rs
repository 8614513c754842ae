//! Guests, logins, carts, and what the browser keeps of them.

use crate::{USER, log_in, scenario};

#[tokio::test]
async fn a_guest_who_looks_around_is_given_no_cookie() {
    scenario("guest", async |browser, demo| {
        for page in ["/", "/session"] {
            browser.open(&demo.page(page)).await;
            assert!(browser.session_cookie().await.is_none(), "{page}");
            browser.picture(&format!("guest{}", page.replace('/', "-"))).await;
        }
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("none"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_guest_gets_a_cookie_with_the_first_form_and_no_place_behind_the_login() {
    scenario("first-form", async |browser, demo| {
        browser.open(&demo.page("/cart")).await;
        assert!(browser.session_cookie().await.is_some());
        browser.picture("cart").await;
        browser.open(&demo.page("/profile")).await;
        assert_eq!(browser.path().await, "/login");
        assert_eq!(browser.text("#notice").await.as_deref(), Some("Log in to see your profile."));
        browser.picture("login").await;
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_login_survives_a_reload_and_a_restart_of_the_server() {
    scenario("login", async |browser, demo| {
        log_in(&browser, &demo).await;
        assert_eq!(browser.text("#visits").await.as_deref(), Some("1"));
        browser.picture("home").await;
        browser.reload().await;
        assert_eq!(browser.text("#visits").await.as_deref(), Some("2"));
        let demo = demo.restart();
        browser.reload().await;
        assert_eq!(browser.text("#user").await.as_deref(), Some(USER));
        assert_eq!(browser.text("#visits").await.as_deref(), Some("3"));
        browser.open(&demo.page("/profile")).await;
        assert_eq!(browser.text("#visits").await.as_deref(), Some("3"));
        browser.picture("profile").await;
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_login_under_a_key_that_is_gone_is_a_guest_and_no_error() {
    scenario("other-key", async |browser, demo| {
        log_in(&browser, &demo).await;
        let demo = demo.restart_with_another_key();
        browser.reload().await;
        assert!(browser.text("#user").await.is_none());
        log_in(&browser, &demo).await;
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn the_cart_overflows_to_the_store_and_comes_back_with_nothing_lost() {
    scenario("cart", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser.open(&demo.page("/cart")).await;
        browser.send("#add").await;
        assert_eq!(browser.text("#items").await.as_deref(), Some("1"));
        browser.open(&demo.page("/session")).await;
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("cookie"));
        browser.picture("in-the-cookie").await;

        browser.open(&demo.page("/cart")).await;
        browser.send("#fill").await;
        assert_eq!(browser.text("#items").await.as_deref(), Some("40"));
        browser.picture("full").await;
        browser.open(&demo.page("/session")).await;
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("store"));
        let bytes: usize = browser.text("#bytes").await.unwrap().parse().unwrap();
        assert!(bytes > 4096, "{bytes}");
        assert!(browser.session_cookie().await.unwrap().value().len() <= 151);
        browser.picture("in-the-store").await;
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));

        browser.open(&demo.page("/cart")).await;
        browser.send("#empty").await;
        assert_eq!(browser.text("#items").await.as_deref(), Some("0"));
        browser.open(&demo.page("/session")).await;
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("cookie"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_cart_in_the_store_survives_a_restart_of_the_server() {
    scenario("restart", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser.open(&demo.page("/cart")).await;
        browser.send("#fill").await;
        browser.open(&demo.page("/session")).await;
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("store"));
        let demo = demo.restart();
        browser.reload().await;
        assert_eq!(browser.attribute("#place", "data-place").await.as_deref(), Some("store"));
        assert_eq!(browser.text(".who").await.as_deref(), Some(USER));
        browser.open(&demo.page("/cart")).await;
        assert_eq!(browser.text("#items").await.as_deref(), Some("40"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_cookie_that_was_edited_in_the_browser_is_a_guest_again() {
    scenario("edited", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser
            .edit_session_cookie(|value| {
                let middle = value.len() / 2;
                let other = if value[middle..].starts_with('A') { "B" } else { "A" };
                format!("{}{other}{}", &value[..middle], &value[middle + 1..])
            })
            .await;
        browser.open(&demo.page("/")).await;
        assert!(browser.text("#user").await.is_none());
        assert_eq!(browser.text(".lead").await.as_deref(), Some("Welcome, guest."));
        browser.open(&demo.page("/profile")).await;
        assert_eq!(browser.path().await, "/login");
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_logout_removes_the_login_and_says_so() {
    scenario("logout", async |browser, demo| {
        log_in(&browser, &demo).await;
        browser.open(&demo.page("/cart")).await;
        browser.send("#add").await;
        let before = browser.session_cookie().await.unwrap();
        browser.send("#logout").await;
        assert_eq!(browser.path().await, "/");
        assert!(browser.text("#user").await.is_none());
        assert_eq!(browser.text("#notice").await.as_deref(), Some("You are logged out."));
        browser.picture("farewell").await;
        assert_ne!(browser.session_cookie().await.unwrap().value(), before.value());
        browser.open(&demo.page("/cart")).await;
        assert_eq!(browser.text("#items").await.as_deref(), Some("0"));
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_logout_that_forgets_removes_the_cookie() {
    scenario("forget", async |browser, demo| {
        log_in(&browser, &demo).await;
        assert!(browser.session_cookie().await.is_some());
        browser.open(&demo.page("/profile")).await;
        browser.send("#forget").await;
        assert_eq!(browser.path().await, "/");
        assert!(browser.text("#user").await.is_none());
        assert!(browser.session_cookie().await.is_none());
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn the_cookie_has_its_attributes_and_no_script_sees_it() {
    scenario("attributes", async |browser, demo| {
        log_in(&browser, &demo).await;
        let cookie = browser.session_cookie().await.unwrap();
        assert_eq!(cookie.name(), "__Host-session");
        assert_eq!((cookie.secure(), cookie.http_only()), (Some(true), Some(true)));
        assert_eq!(cookie.same_site().map(|same_site| same_site.to_string()).as_deref(), Some("Lax"));
        assert_eq!((cookie.path(), cookie.domain()), (Some("/"), Some("localhost")));
        assert_eq!(browser.script("return document.cookie").await, "");
        (browser, demo)
    })
    .await;
}

#[tokio::test]
async fn a_login_without_a_name_is_told_so() {
    scenario("no-name", async |browser, demo| {
        browser.open(&demo.page("/login")).await;
        browser.type_into("#name", "   ").await;
        browser.click("#remember").await;
        browser.send("main button").await;
        assert_eq!(browser.path().await, "/login");
        assert_eq!(browser.text("#name-error").await.as_deref(), Some("Give a name of 1 to 64 characters."));
        assert_eq!(browser.value("#name").await, "   ");
        assert_eq!(browser.script("return document.getElementById('remember').checked").await, true);
        assert!(browser.text(".who").await.is_none());
        browser.picture("problem").await;
        (browser, demo)
    })
    .await;
}
