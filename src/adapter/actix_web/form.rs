use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use serde::de::DeserializeOwned;

use super::SessionExtractionError;
use super::csrf::{first, token_header};
use crate::adapter::Marked;
use crate::adapter::csrf::{CsrfForm, CsrfFormError, CsrfScope, FormCheck};
use crate::session::Session;

/// A form on its way to a handler.
type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, CsrfFormExtractionError>>>>;

/// The body is read by the extractor [`Bytes`], so it is bounded by the application's
/// [`PayloadConfig`](actix_web::web::PayloadConfig): 256 KiB unless it says otherwise, counted behind decompression.
///
/// [`FormConfig`](actix_web::web::FormConfig) bounds [`web::Form`](actix_web::web::Form) alone and shows its limit to nobody
/// else, and `web::Form` replaces bytes that are no UTF-8 where this refuses them. An application that has a limit there
/// sets the same in `PayloadConfig`:
///
/// ```
/// use actix_web::{App, web};
/// use sealed_session::adapter::CsrfForm;
/// use sealed_session::adapter::actix_web::SessionMiddleware;
/// use sealed_session::{SessionManager, Key, Session, SessionError};
///
/// #[derive(serde::Deserialize)]
/// struct Comment {
///     text: String,
/// }
///
/// async fn page(session: Session) -> Result<String, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(format!(r#"<form method="post"><input type="hidden" name="_csrf" value="{token}"><input name="text"></form>"#))
/// }
///
/// async fn comment(form: CsrfForm<Comment>) -> String {
///     format!("{} bytes", form.text.len())
/// }
///
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let limit_bytes = 16 * 1024;
/// let application = App::new()
///     .app_data(web::PayloadConfig::new(limit_bytes))
///     .wrap(SessionMiddleware::new(manager))
///     .service(web::resource("/").get(page).post(comment));
/// # let _ = application;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A handler has one body to take: beside this extractor, none of `web::Form`, `String` or `Bytes`. Whichever comes second
/// finds an empty one, which for a form is a missing token.
impl<T: DeserializeOwned + 'static, Scope: CsrfScope + 'static> FromRequest for CsrfForm<T, Scope> {
    type Error = CsrfFormExtractionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = Session::from_request(request, &mut Payload::None);
        Box::pin(extract(session, request.clone(), payload.take()))
    }
}

/// As that of [`CsrfForm`], with a token of the session with this marker.
impl<T: DeserializeOwned + 'static, Scope: CsrfScope + 'static, M: 'static> FromRequest
    for Marked<CsrfForm<T, Scope>, M>
{
    type Error = CsrfFormExtractionError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = Marked::<Session, M>::from_request(request, &mut Payload::None);
        let session = async { session.await.map(Marked::into_inner) };
        let form = extract(session, request.clone(), payload.take());
        Box::pin(async { form.await.map(Self::new) })
    }
}

async fn extract<T: DeserializeOwned, Scope: CsrfScope>(
    session: impl Future<Output = Result<Session, SessionExtractionError>>,
    request: HttpRequest,
    payload: Payload,
) -> Result<CsrfForm<T, Scope>, CsrfFormExtractionError> {
    let session = session.await.map_err(CsrfFormExtractionError::Session)?;
    read(session, &request, payload).await.map_err(CsrfFormExtractionError::Form)
}

async fn read<T: DeserializeOwned, Scope: CsrfScope>(
    session: Session,
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<CsrfForm<T, Scope>, CsrfFormError> {
    let headers = request.headers();
    let check = FormCheck::of_head(session, first(headers, CONTENT_TYPE.as_str()), token_header(headers))?;
    let body = Bytes::from_request(request, &mut payload).await.map_err(|error| unread(&error))?;
    check.form(std::str::from_utf8(&body).map_err(CsrfFormError::body)?)
}

fn unread(error: &actix_web::Error) -> CsrfFormError {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        return CsrfFormError::TooLarge;
    }
    CsrfFormError::body(error)
}

/// Why a handler got no form.
///
/// ```
/// use actix_web::ResponseError as _;
/// use sealed_session::adapter::CsrfFormError;
/// use sealed_session::adapter::actix_web::CsrfFormExtractionError;
///
/// let error = CsrfFormExtractionError::Form(CsrfFormError::TooLarge);
/// assert_eq!(error.status_code().as_u16(), 413);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfFormExtractionError {
    /// The route has no session. Answered as [`SessionExtractionError`] is.
    Session(SessionExtractionError),
    /// The form itself. Answered with [`CsrfFormError::status_code`] and an empty body.
    Form(CsrfFormError),
}

impl fmt::Display for CsrfFormExtractionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(source) => source.fmt(f),
            Self::Form(source) => source.fmt(f),
        }
    }
}

impl Error for CsrfFormExtractionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(source) => source.source(),
            Self::Form(source) => source.source(),
        }
    }
}

impl ResponseError for CsrfFormExtractionError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Session(source) => ResponseError::status_code(source),
            Self::Form(source) => {
                StatusCode::from_u16(source.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Session(source) => source.error_response(),
            Self::Form(_) => HttpResponse::new(ResponseError::status_code(self)),
        }
    }
}
