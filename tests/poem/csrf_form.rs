//! What a form is to poem's size limit, extractors and handlers of errors. What it takes: `tests/guards`.

use poem::error::ReadBodyError;
use poem::{EndpointExt as _, handler};
use sealed_session::adapter::poem::SessionMiddleware;
use sealed_session::adapter::{CsrfForm, CsrfFormError};

use crate::guards::pages::Pairs;
use crate::guards::{self, Application, manager};
use crate::site::Poem;
use crate::support::{Browser, post_form, store, text};

#[handler]
async fn take(form: CsrfForm<Pairs>) -> String {
    format!("{} fields", form.len())
}

#[handler]
async fn taken_twice(_body: String, form: CsrfForm<Pairs>) -> String {
    format!("{} fields", form.len())
}

#[test]
fn a_smaller_bound_is_that_of_the_size_limit_which_counts_what_a_request_says() {
    let limited = Application { limit_bytes: Some(1000), ..Application::new(manager()) };
    let mut browser = guards::Browser::<Poem>::logged_in(limited);
    let form = guards::post("/pairs").form(format!("text=hello&_csrf={}", browser.token()));
    assert_eq!(browser.send(form.clone()).status, 200);
    let says = |length: Option<&'static str>| {
        let mut form = form.clone();
        form.headers.retain(|(name, _)| *name != "content-length");
        length.into_iter().fold(form, |form, length| form.header("content-length", length))
    };
    assert_eq!(browser.send(says(Some("1001"))).status, 413);
    assert_eq!(browser.send(says(None)).status, 411);
}

#[pollster::test]
async fn a_refused_form_is_an_error_that_an_application_can_tell() {
    let application = take
        .catch_error(|error: CsrfFormError| async move { format!("a page for {}", error.status_code()) })
        .with(SessionMiddleware::new(store()));
    assert_eq!(text(post_form(&application, "/", "", "text=hello").await).await, "a page for 403");
}

#[pollster::test]
async fn a_body_that_another_extractor_took_is_an_error_of_the_application() {
    let (browser, token) = Browser::logged_in(store());
    let application = taken_twice.with(SessionMiddleware::new(browser.store));
    let body = format!("text=hello&_csrf={token}");
    let response = post_form(&application, "/", &browser.jar.cookie_header(), body).await;
    assert_eq!(response.status(), 500);
    assert_eq!(text(response).await, ReadBodyError::BodyHasBeenTaken.to_string());
}
