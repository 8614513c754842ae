//! Who is logged in.

use axum::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sealed_session::{Session, SessionError};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::pages::{Page, escape};
use crate::see_other;

const LONGEST_NAME_CHARACTERS: usize = 64;

/// A user, as the session knows one.
pub(crate) struct User {
    pub(crate) name: String,
    logged_in_at: OffsetDateTime,
}

impl User {
    /// The user of this session, if there is one.
    pub(crate) fn of(session: &Session) -> Result<Option<Self>, SessionError> {
        let name = session.get("user.name")?;
        Ok(name.zip(session.get_time("user.logged_in_at")?).map(|(name, logged_in_at)| Self { name, logged_in_at }))
    }
}

pub(crate) async fn login_form(session: Session) -> Result<Response, SessionError> {
    Ok(match User::of(&session)? {
        Some(_) => see_other("/profile").into_response(),
        None => form("").into_response(),
    })
}

#[derive(Deserialize)]
pub(crate) struct Login {
    #[serde(default)]
    name: String,
}

pub(crate) async fn log_in(session: Session, Form(login): Form<Login>) -> Result<Response, SessionError> {
    let name = login.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARACTERS {
        let problem = "Give a name of 1 to 64 characters.";
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, form(problem)).into_response());
    }
    // Before anything else: whoever knew the guest's session id gains nothing of the user's.
    session.regenerate_and_reset_lifetime()?;
    session.put("user.name", name)?;
    session.put_time("user.logged_in_at", now())?;
    session.put("visits", &0)?;
    Ok(see_other("/").into_response())
}

pub(crate) async fn log_out(session: Session) -> Result<Response, SessionError> {
    session.destroy()?;
    Ok(see_other("/").into_response())
}

pub(crate) async fn profile(session: Session) -> Result<Response, SessionError> {
    let Some(user) = User::of(&session)? else { return Ok(see_other("/login").into_response()) };
    let since = user.logged_in_at.format(&Rfc3339).unwrap_or_default();
    let body = format!(
        "<dl><dt>Name<dd id=user>{name}<dt>Logged in since<dd><time>{since}</time><dt>Visits<dd id=visits>{visits}</dl>\
         <form method=post action=/logout><button>Log out</button></form>",
        name = escape(&user.name),
        visits = session.get_or("visits", 0)?,
    );
    Ok(Page::new("Your profile", Some(&user)).html(&body).into_response())
}

fn form(problem: &str) -> axum::response::Html<String> {
    let problem = if problem.is_empty() { String::new() } else { format!("<p class=problem role=alert>{problem}</p>") };
    Page::new("Log in", None).html(&format!(
        "{problem}<form method=post action=/login>\
         <label for=name>Your name</label>\
         <input id=name name=name required maxlength={LONGEST_NAME_CHARACTERS} autocomplete=username autofocus>\
         <button>Log in</button></form>\
         <p class=hint>Any name will do: the demo has no passwords.</p>"
    ))
}

fn now() -> OffsetDateTime {
    use sealed_session::Clock as _;
    sealed_session::SystemClock.now().to_date_time()
}
