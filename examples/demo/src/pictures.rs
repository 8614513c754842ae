//! A page whose pictures and script ask for the session too, while a message waits in it.

use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect};
use sealed_session::{Session, SessionError};

use crate::pages::{Page, escape};
use crate::user::User;
use crate::{Answer, see_other};

const PICTURES: u16 = 6;
const SCRIPT: &str = "<script>\
    fetch('/whoami').then(answer => answer.text()).then(name => document.getElementById('whoami').textContent = name)\
    </script>";

/// Shows no messages, so that the requests behind it come between one that was left and the page that shows it.
pub(crate) async fn show(session: Session) -> Answer {
    let page = Page::new(&session, "Pictures")?;
    let pictures: String = (1..=PICTURES)
        .map(|number| format!("<img src=/pixel/{number} width=96 height=96 alt='Seal number {number}'>"))
        .collect();
    let form = page.form("/pixels/message", "<button id=leave>Leave a message</button>")?;
    page.html_without_messages(&format!(
        "<p>Each of these pictures, and a script in the background, asks the session who you are. None of them reads its \
         messages, and neither does this page: what you leave here waits for <a href=/>a page that shows it</a>.</p>\
         <p class=pictures>{pictures}</p>\
         <p>The script found: <b id=whoami>nothing yet</b></p>{form}{SCRIPT}"
    ))
}

pub(crate) async fn leave_message(session: Session) -> Result<Redirect, SessionError> {
    session.flash("notice", "This message has waited for you.")?;
    Ok(see_other("/pixels"))
}

/// A picture that carries the first letter of the user's name.
pub(crate) async fn picture(session: Session, Path(number): Path<u16>) -> Result<impl IntoResponse, SessionError> {
    let letter = User::of(&session)?.and_then(|user| user.name.chars().next()).unwrap_or('?');
    let letter = escape(&letter.to_string());
    let hue = number.wrapping_mul(57) % 360;
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 96 96'><circle cx='48' cy='48' r='44' \
         fill='hsl({hue} 45% 40%)'/><circle cx='48' cy='48' r='34' fill='none' stroke='#fff' stroke-opacity='.45' \
         stroke-width='3'/><text x='48' y='62' font-family='serif' font-size='42' fill='#fff' text-anchor='middle'>\
         {letter}</text></svg>"
    );
    Ok(([(CONTENT_TYPE, "image/svg+xml")], svg))
}

pub(crate) async fn whoami(session: Session) -> Result<String, SessionError> {
    Ok(User::of(&session)?.map_or_else(|| "a guest".to_owned(), |user| user.name))
}
