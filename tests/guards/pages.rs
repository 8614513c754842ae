//! What the pages of a site do, whatever the framework.

use std::fmt;

use sealed_session::adapter::CsrfScope;
use sealed_session::{Session, SessionError};
use serde::Deserialize;

/// What a form says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comment {
    text: String,
    stars: u8,
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.stars)
    }
}

/// All fields of a form.
pub(crate) type Pairs = Vec<(String, String)>;

/// The scope of a form whose tokens are good for nothing else.
pub(crate) struct Transfer;

impl CsrfScope for Transfer {
    const SCOPE: &str = "POST /transfer";
}

/// The marker of a second session.
pub(crate) struct Administration;

/// What a handler answers.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) set_cookie: Option<&'static str>,
    pub(crate) text: String,
}

/// Does this to the session.
pub(crate) fn act(session: &Session, action: &str) -> Result<Page, SessionError> {
    let mut page = Page { status: 200, set_cookie: None, text: "done".to_owned() };
    match action {
        "look" => {}
        "token" => page.text = session.csrf_token()?,
        "transfer-token" => page.text = session.csrf_token_for(Transfer::SCOPE)?,
        "write" => session.put("user", &43)?,
        "set-theme" => {
            session.put("user", &43)?;
            page.set_cookie = Some("theme=dark");
        }
        "log-in" => {
            session.regenerate_and_reset_lifetime()?;
            session.put("user", &42)?;
        }
        "regenerate" => session.regenerate()?,
        "regenerate-and-refuse" => {
            session.regenerate()?;
            page.status = 409;
        }
        "log-out" => session.destroy()?,
        "log-out-with-farewell" => {
            session.invalidate()?;
            session.flash("notice", "Goodbye.")?;
        }
        unknown => page = Page { status: 404, text: format!("no action {unknown}"), ..page },
    }
    Ok(page)
}

/// Takes a comment, and leaves a trace in the session that the handler ran.
pub(crate) fn take(session: &Session, comment: &impl fmt::Display) -> Result<String, SessionError> {
    session.increment("comments", 1)?;
    Ok(comment.to_string())
}
