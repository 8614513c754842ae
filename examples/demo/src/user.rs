//! Who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use sealed_session::{Session, SessionError};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::pages::{Field, Page, escape};
use crate::see_other;

const LONGEST_NAME_CHARACTERS: usize = 64;
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const NAME: Field<'_> =
    Field { name: "name", label: "Your name", attributes: "required autocomplete=username autofocus", is_long: false };

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
    let page = Page::new(&session, "Log in")?;
    if page.user().is_some() {
        return Ok(see_other("/profile").into_response());
    }
    let checked = if session.old::<String>("remember")?.is_some() { "checked" } else { "" };
    let fields = format!(
        "{}<p class=choice><input type=checkbox id=remember name=remember value=yes {checked}> \
         <label for=remember>Remember me for 30 days on this device</label></p><button>Log in</button>",
        NAME.html(&session)?
    );
    let form = page.form("/login", &fields)?;
    Ok(page.html(&format!("{form}<p class=hint>Any name will do: the demo has no passwords.</p>"))?.into_response())
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Login {
    #[serde(default)]
    name: String,
    remember: Option<String>,
}

pub(crate) async fn log_in(session: Session, Form(login): Form<Login>) -> Result<Redirect, SessionError> {
    let name = login.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME_CHARACTERS {
        let problem = format!("Give a name of 1 to {LONGEST_NAME_CHARACTERS} characters.");
        session.flash_errors(&BTreeMap::from([(NAME.name, problem)]))?;
        session.flash_input(&login)?;
        return Ok(see_other("/login"));
    }
    // Before anything else: whoever knew the guest's session id gains nothing of the user's.
    session.regenerate_and_reset_lifetime()?;
    session.put("user.name", name)?;
    session.put_time("user.logged_in_at", now())?;
    session.put("visits", &0)?;
    if login.remember.is_some() {
        match session.remember(REMEMBERED) {
            // Started with sessions that end before that: this one ends with them.
            Err(SessionError::Lifetime { .. }) => {}
            other => other?,
        }
    }
    session.flash("notice", "You are logged in.")?;
    Ok(see_other("/"))
}

/// Ends the login and says so: the farewell needs a session to travel in, which is a new and empty one.
pub(crate) async fn log_out(session: Session) -> Result<Redirect, SessionError> {
    session.invalidate()?;
    session.flash("notice", "You are logged out.")?;
    Ok(see_other("/"))
}

/// Ends the login and removes the cookie: nothing is left to say so in.
pub(crate) async fn forget(session: Session) -> Result<Redirect, SessionError> {
    session.destroy()?;
    Ok(see_other("/"))
}

pub(crate) async fn profile(session: Session) -> Result<Response, SessionError> {
    let page = Page::new(&session, "Your profile")?;
    let Some(user) = page.user() else {
        session.flash("notice", "Log in to see your profile.")?;
        return Ok(see_other("/login").into_response());
    };
    let since = user.logged_in_at.format(&Rfc3339).unwrap_or_default();
    let body = format!(
        "<dl><dt>Name<dd id=user>{name}<dt>Logged in since<dd><time>{since}</time><dt>Visits<dd id=visits>{visits}</dl>\
         <div class=buttons>{log_out}{forget}</div>\
         <p class=hint>Either way you are logged out. To forget removes the cookie from this browser as well.</p>",
        name = escape(&user.name),
        visits = session.get_or("visits", 0)?,
        log_out = page.form("/logout", "<button>Log out</button>")?,
        forget = page.form("/forget", "<button class=quiet id=forget>Log out and forget me</button>")?,
    );
    Ok(page.html(&body)?.into_response())
}

fn now() -> OffsetDateTime {
    use sealed_session::Clock as _;
    sealed_session::SystemClock.now().to_date_time()
}
