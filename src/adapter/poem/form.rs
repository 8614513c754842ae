use http::StatusCode;
use poem::error::{ReadBodyError, ResponseError};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response};
use serde::de::DeserializeOwned;

use crate::adapter::Marked;
use crate::adapter::csrf::{CsrfForm, CsrfFormError, CsrfScope, FormCheck};
use crate::adapter::header_map::{content_type, token_header};
use crate::limits::FORM_MAX_BYTES;
use crate::session::Session;

/// The form is in the body, whatever the method is; a query is never read.
///
/// A body has 2 MiB at most; poem's own `Form` and `String` read one of any length. A smaller bound is that of the middleware
/// [`SizeLimit`](poem::middleware::SizeLimit), whose own answer is 413. It goes by `Content-Length` and answers 411 where
/// that is missing, as in a `GET`, so it stands around the handler of the post alone:
///
/// ```
/// use poem::middleware::SizeLimit;
/// use poem::{EndpointExt, Route, get, handler};
/// use sealed_session::adapter::CsrfForm;
/// use sealed_session::adapter::poem::SessionMiddleware;
/// use sealed_session::{SessionManager, Key, Session, SessionError};
///
/// #[derive(serde::Deserialize)]
/// struct Comment {
///     text: String,
/// }
///
/// #[handler]
/// async fn page(session: Session) -> Result<String, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(format!(r#"<form method="post"><input type="hidden" name="_csrf" value="{token}"><input name="text"></form>"#))
/// }
///
/// #[handler]
/// async fn comment(form: CsrfForm<Comment>) -> String {
///     format!("{} bytes", form.text.len())
/// }
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let application = Route::new()
///     .at("/", get(page).post(comment.with(SizeLimit::new(64 * 1024))))
///     .with(SessionMiddleware::new(manager));
/// # let _ = application;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Where poem's `Compression` expands request bodies, `SizeLimit` bounds the bytes that were sent, and the 2 MiB those that
/// come out.
///
/// The error is a [`CsrfFormError`], [`LoadError`](crate::LoadError) when the store does not answer,
/// [`MissingSessionMiddleware`](super::MissingSessionMiddleware) without a session, or poem's [`ReadBodyError`] when an extractor
/// before this one took the body: 500, a mistake of the application.
impl<'a, T: DeserializeOwned, Scope: CsrfScope> FromRequest<'a> for CsrfForm<T, Scope> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let session = Session::from_request(request, body).await?;
        read(session, request, body).await
    }
}

/// As that of [`CsrfForm`], with a token of the session with this marker.
impl<'a, T: DeserializeOwned, Scope: CsrfScope, M: 'static> FromRequest<'a> for Marked<CsrfForm<T, Scope>, M> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let session = Marked::<Session, M>::from_request(request, body).await?;
        read(session.into_inner(), request, body).await.map(Self::new)
    }
}

async fn read<T: DeserializeOwned, Scope: CsrfScope>(
    session: Session,
    request: &Request,
    body: &mut RequestBody,
) -> poem::Result<CsrfForm<T, Scope>> {
    let check = FormCheck::of_head(session, content_type(request.headers()), token_header(request.headers()))?;
    // Security: bounded, unlike poem's own extractors: a form is read whole before its token can be looked at.
    let body = body.take()?.into_bytes_limit(FORM_MAX_BYTES).await.map_err(unread)?;
    let body = std::str::from_utf8(&body).map_err(CsrfFormError::body)?;
    Ok(check.form(body)?)
}

fn unread(error: ReadBodyError) -> CsrfFormError {
    if matches!(error, ReadBodyError::PayloadTooLarge) { CsrfFormError::TooLarge } else { CsrfFormError::body(error) }
}

/// 415, 403, 413, 400 or 422 with an empty body.
impl ResponseError for CsrfFormError {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        self.status().into_response()
    }
}
