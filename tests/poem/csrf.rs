//! What the guard is to poem's handlers of errors. What it decides: `tests/guards`.

use poem::endpoint::make;
use poem::{EndpointExt as _, IntoResponse as _};
use sealed_session::adapter::poem::SessionMiddleware;

use crate::guards::{Guard, Site as _, manager};
use crate::site::Poem;
use crate::support::{post, text};

#[pollster::test]
async fn a_refusal_is_an_error_that_an_application_can_give_a_page() {
    let application = make(|_| async { "done" })
        .with(Poem::guard(&Guard::new()).unwrap())
        .catch_all_error(|error| async move { format!("a page for {}", error.status()).with_status(error.status()) })
        .with(SessionMiddleware::new(manager()));
    for request in [post("/"), post("/").header("X-CSRF-Token", "wrong")] {
        let response = poem::Endpoint::get_response(&application, request.finish()).await;
        assert_eq!(response.status(), 403);
        assert_eq!(text(response).await, "a page for 403 Forbidden");
    }
}
