use std::error::Error;
use std::fmt;

use rocket::data::{self, FromData, Limits};
use rocket::form::{FromForm, Options, ValueField};
use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::local_cache;
use rocket::{Data, Ignite, Request, Rocket, Sentinel};

use super::csrf::mark;
use super::guard::{InRequest, SessionGuardError, abort, session};
use crate::adapter::Marked;
use crate::adapter::csrf::{CsrfForm, CsrfFormError, CsrfScope, FormCheck};
use crate::csrf::CsrfFacts;
use crate::session::Session;

/// `T` is what Rocket's own `Form` takes, read leniently as there unless it is a
/// [`Strict`](rocket::form::Strict). The body is bounded by the limit `form`, 32 KiB unless the application says otherwise.
///
/// ```
/// use rocket::{FromForm, get, post, routes};
/// use sealed_session::adapter::CsrfForm;
/// use sealed_session::{Session, SessionError};
///
/// #[derive(FromForm)]
/// struct Comment<'r> {
///     text: &'r str,
/// }
///
/// #[get("/")]
/// fn page(session: Session) -> Result<String, SessionError> {
///     let token = session.csrf_token()?;
///     Ok(format!(r#"<form method="post"><input type="hidden" name="_csrf" value="{token}"><input name="text"></form>"#))
/// }
///
/// #[post("/", data = "<form>")]
/// fn comment(form: CsrfForm<Comment<'_>>) -> String {
///     format!("{} bytes", form.text.len())
/// }
///
/// let routes = routes![page, comment];
/// ```
#[rocket::async_trait]
impl<'r, T: FromForm<'r>, Scope: CsrfScope> FromData<'r> for CsrfForm<T, Scope> {
    type Error = CsrfFormGuardError;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        match read::<Session, T, Scope>(request, data).await {
            Ok(form) => Outcome::Success(form),
            Err(failure) => Outcome::Error(failure),
        }
    }
}

/// As that of [`CsrfForm`], with a token of the session with this marker.
#[rocket::async_trait]
impl<'r, T: FromForm<'r>, Scope: CsrfScope, M: 'static> FromData<'r> for Marked<CsrfForm<T, Scope>, M> {
    type Error = CsrfFormGuardError;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        match read::<Marked<Session, M>, T, Scope>(request, data).await {
            Ok(form) => Outcome::Success(Self::new(form)),
            Err(failure) => Outcome::Error(failure),
        }
    }
}

/// Aborts the launch when a route takes such a form and no fairing is there to bring the session of its token.
impl<T, Scope> Sentinel for CsrfForm<T, Scope> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Session>(rocket)
    }
}

/// As that of [`CsrfForm`], for the fairing with this marker.
impl<T, Scope, M: 'static> Sentinel for Marked<CsrfForm<T, Scope>, M> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        abort::<Marked<Session, M>>(rocket)
    }
}

async fn read<'r, Guard: 'static, T: FromForm<'r>, Scope: CsrfScope>(
    request: &'r Request<'_>,
    data: Data<'r>,
) -> Result<CsrfForm<T, Scope>, (Status, CsrfFormGuardError)> {
    let session = match session::<Guard>(request).await {
        Outcome::Success(session) => session,
        Outcome::Error((status, error)) => return Err((status, CsrfFormGuardError::Session(error))),
        Outcome::Forward(status) => return Err((status, CsrfFormGuardError::Session(SessionGuardError::NotBegun))),
    };
    form(session, request, data).await.map_err(|error| {
        let status_code = error.status_code();
        if let Some(begun) = InRequest::of::<Guard>(request).lock().as_mut() {
            begun.guarding.refused_form = Some(status_code);
            mark(request);
        }
        (Status::new(status_code), CsrfFormGuardError::Form(error))
    })
}

async fn form<'r, T: FromForm<'r>, Scope: CsrfScope>(
    session: Session,
    request: &'r Request<'_>,
    data: Data<'r>,
) -> Result<CsrfForm<T, Scope>, CsrfFormError> {
    let header = |name: &str| request.headers().get_one(name).map(str::as_bytes);
    let token_header = CsrfFacts::TOKEN_HEADERS.into_iter().find_map(header);
    let check = FormCheck::of_head(session, header("Content-Type"), token_header)?;
    let limit = request.limits().get("form").unwrap_or(Limits::FORM);
    let body = data.open(limit).into_bytes().await.map_err(CsrfFormError::body)?;
    if !body.is_complete() {
        return Err(CsrfFormError::TooLarge);
    }
    let body = String::from_utf8(body.into_inner()).map_err(CsrfFormError::body)?;
    // Security: looked at only behind the token, so that a forged post learns nothing of the fields that are asked for.
    let fields = check.fields::<Scope>(&body)?;
    parse(request, &fields).map(CsrfForm::new)
}

fn parse<'r, T: FromForm<'r>>(request: &'r Request<'_>, fields: &str) -> Result<T, CsrfFormError> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(fields).map_err(CsrfFormError::fields)?;
    let mut context = T::init(Options::Lenient);
    for (name, value) in fields {
        // A form may borrow of what it is made of.
        let (name, value) = (local_cache!(request, name), local_cache!(request, value));
        T::push_value(&mut context, ValueField::from((name, value)));
    }
    // Rocket's errors borrow too, and are no `Error`.
    T::finalize(context).map_err(|errors| CsrfFormError::Fields(errors.to_string().into()))
}

/// Why a handler got no form.
///
/// The answer is empty: that of [`SessionGuardError`], or [`CsrfFormError::status_code`]. A handler that takes
/// `Result<CsrfForm<T>, CsrfFormGuardError>` may answer in another way.
///
/// ```
/// use std::collections::HashMap;
///
/// use rocket::{post, routes};
/// use sealed_session::adapter::rocket::CsrfFormGuardError;
/// use sealed_session::adapter::{CsrfForm, CsrfFormError};
///
/// #[post("/", data = "<form>")]
/// fn comment(form: Result<CsrfForm<HashMap<String, String>>, CsrfFormGuardError>) -> &'static str {
///     match form {
///         Ok(_) => "Thank you.",
///         Err(CsrfFormGuardError::Form(CsrfFormError::Csrf(_))) => "Please open the page again, and send the form once more.",
///         Err(_) => "That did not work.",
///     }
/// }
///
/// let routes = routes![comment];
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CsrfFormGuardError {
    /// The route has no session.
    Session(SessionGuardError),
    /// The form itself.
    Form(CsrfFormError),
}

impl fmt::Display for CsrfFormGuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(source) => source.fmt(f),
            Self::Form(source) => source.fmt(f),
        }
    }
}

impl Error for CsrfFormGuardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(source) => source.source(),
            Self::Form(source) => source.source(),
        }
    }
}
