//! HTML, rendered on the server.

use axum::response::Html;

use crate::user::User;

const STYLE: &str = include_str!("style.css");

/// A page with the head, the navigation and the frame that all have.
pub(crate) struct Page<'a> {
    title: &'a str,
    user: Option<&'a User>,
}

impl<'a> Page<'a> {
    pub(crate) const fn new(title: &'a str, user: Option<&'a User>) -> Self {
        Self { title, user }
    }

    /// The page around its content, which is HTML.
    pub(crate) fn html(&self, content: &str) -> Html<String> {
        let title = self.title;
        let account = match self.user {
            Some(user) => format!(
                "<span class=who>{}</span><form method=post action=/logout><button class=quiet id=logout>Log out</button></form>",
                escape(&user.name)
            ),
            None => "<a href=/login>Log in</a>".to_owned(),
        };
        Html(format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
             <title>{title} · Sealed Goods</title><style>{STYLE}</style>\
             <header><a class=brand href=/>Sealed Goods</a><nav><a href=/>Home</a><a href=/profile>Profile</a>\
             <a href=/cart>Cart</a><a href=/session>Session</a></nav><div class=account>{account}</div></header>\
             <main><h1>{title}</h1>{content}</main></html>"
        ))
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
