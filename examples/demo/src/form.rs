//! Every form that is posted proves that this site made it.

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealed_session::Session;
use sealed_session::csrf::CsrfError;
use serde::Deserialize;

use crate::pages::Page;

const LONGEST_FORM_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Proof {
    #[serde(rename = "_csrf")]
    token: String,
}

/// Lets a request through that changes nothing, or that carries a token of its session in the field `_csrf`.
// Security: around all routes and not a matter of each handler, so that a route added later is not forgotten. Another
// site can make a browser post a form, but can read no page of this one and so knows no token.
pub(crate) async fn refuse_forged(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let session = match Session::from_request_parts(&mut parts, &()).await {
        Ok(session) => session,
        Err(problem) => return problem.into_response(),
    };
    let Ok(body) = to_bytes(body, LONGEST_FORM_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
    // What is no form, or has the field twice, has no token.
    let proof = Form::<Proof>::from_request(copy, &()).await.ok();
    match session.verify_csrf(proof.as_ref().map(|Form(proof)| proof.token.as_str())) {
        Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => refused(&session, refusal),
    }
}

fn refused(session: &Session, refusal: CsrfError) -> Response {
    let reason = match refusal {
        CsrfError::Missing => "missing",
        CsrfError::NoSession => "no-session",
        _ => "mismatch",
    };
    let content = format!(
        "<p class=lead id=refused data-reason={reason}>Nothing was changed.</p>\
         <p>Each form here carries a secret sign, by which we know that it was you who sent it, from a page of ours. This \
         one came without it, or with one that is no longer good.</p>\
         <p>Did you send it yourself? Then you have logged in or out since the page was opened, or your browser keeps no \
         cookies. Open the page again and send the form once more. If you did not send it, another site tried to act in \
         your name, and failed.</p>\
         <p><a class=button href=/>To the home page</a></p>"
    );
    // A forged post must not use up the messages that wait for its victim.
    match Page::new(session, "The form was refused").and_then(|page| page.html_without_messages(&content)) {
        Ok(page) => (StatusCode::FORBIDDEN, page).into_response(),
        Err(problem) => problem.into_response(),
    }
}
