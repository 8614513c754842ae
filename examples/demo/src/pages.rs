//! HTML, rendered on the server.

use axum::response::Html;
use sealed_session::{Session, SessionError};

use crate::user::User;

const STYLE: &str = include_str!("style.css");

/// A page with the head, the navigation, the messages and the frame that all have.
pub(crate) struct Page<'a> {
    session: &'a Session,
    title: &'a str,
    user: Option<User>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(session: &'a Session, title: &'a str) -> Result<Self, SessionError> {
        Ok(Self { session, title, user: User::of(session)? })
    }

    pub(crate) const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// A form that is posted, around its fields, which are HTML. It starts a session for a guest who has none.
    pub(crate) fn form(&self, path: &str, fields: &str) -> Result<String, SessionError> {
        let token = self.session.csrf_token()?;
        Ok(format!("<form method=post action={path}><input type=hidden name=_csrf value=\"{token}\">{fields}</form>"))
    }

    /// The page around its content, which is HTML, under the messages that an earlier request left.
    pub(crate) fn html(&self, content: &str) -> Result<Html<String>, SessionError> {
        let notice: Option<String> = self.session.flash_messages().get("notice")?;
        let notice = notice
            .map_or_else(String::new, |text| format!("<p class=notice id=notice role=status>{}</p>", escape(&text)));
        self.frame(&notice, content)
    }

    /// The page around its content; messages wait for another one.
    pub(crate) fn html_without_messages(&self, content: &str) -> Result<Html<String>, SessionError> {
        self.frame("", content)
    }

    fn frame(&self, notice: &str, content: &str) -> Result<Html<String>, SessionError> {
        let title = self.title;
        let account = match self.user() {
            // Guests get no form here, for they would get a cookie with it.
            Some(user) => format!(
                "<span class=who>{}</span>{}",
                escape(&user.name),
                self.form("/logout", "<button class=quiet id=logout>Log out</button>")?
            ),
            None => "<a href=/login>Log in</a>".to_owned(),
        };
        let header = format!(
            "<a class=brand href=/>Sealed Goods</a><nav aria-label=Pages><a href=/>Home</a>\
             <a href=/profile>Profile</a><a href=/cart>Cart</a><a href=/contact>Contact</a><a href=/pixels>Pictures</a>\
             <a href=/session>Session</a></nav><div class=account>{account}</div>"
        );
        Ok(document(title, &header, &format!("{notice}<h1>{title}</h1>{content}")))
    }
}

/// A page of the operator, whom no session knows.
pub(crate) fn without_session(title: &str, content: &str) -> Html<String> {
    document(title, "<span class=brand>Sealed Goods</span> for its operator", &format!("<h1>{title}</h1>{content}"))
}

fn document(title: &str, header: &str, main: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <title>{title} · Sealed Goods</title><style>{STYLE}</style><header>{header}</header><main>{main}</main></html>"
    ))
}

/// A field of a form: its name, which is its id as well, and what stands before it.
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) label: &'a str,
    /// More of its attributes, as HTML.
    pub(crate) attributes: &'a str,
    pub(crate) is_long: bool,
}

impl Field<'_> {
    /// The field with what was typed before, and what was wrong with that.
    pub(crate) fn html(&self, session: &Session) -> Result<String, SessionError> {
        let Self { name, label, attributes, is_long } = self;
        let value = escape(&session.old::<String>(*name)?.unwrap_or_default());
        let errors: Vec<String> = session.errors(name).iter().map(|text| escape(text)).collect();
        let (state, error) = if errors.is_empty() {
            (String::new(), String::new())
        } else {
            (
                format!(" aria-invalid=true aria-describedby={name}-error"),
                format!("<p class=error id={name}-error>{}</p>", errors.join(" ")),
            )
        };
        let control = if *is_long {
            // HTML §4.11.5: a line break right behind the tag is dropped, so one of the text's own needs it before it.
            format!("<textarea id={name} name={name} rows=6 {attributes}{state}>\n{value}</textarea>")
        } else {
            format!("<input id={name} name={name} value=\"{value}\" {attributes}{state}>")
        };
        Ok(format!("<div class=field><label for={name}>{label}</label>{control}{error}</div>"))
    }
}

/// Text made harmless inside of HTML.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}
