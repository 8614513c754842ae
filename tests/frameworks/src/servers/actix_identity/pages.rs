/// The page of who is there.
pub(crate) fn home(name: Option<&str>, visits: u64, note: &str) -> String {
    let who = match name {
        Some(name) => format!(
            "<p>Hello, <b id=name>{}</b>. <a href=/account>Your account</a></p>\
             <form method=post action=/logout><button>Log out</button></form>",
            escape(name)
        ),
        None => "<p>Hello, guest.</p><form method=post action=/login><label>Your name \
                 <input name=name required></label> <button>Log in</button></form>"
            .to_owned(),
    };
    page(
        "Home",
        &format!(
            "{who}<form method=post action=/visit>Visits: <b id=visits>{visits}</b>. <button>Count one more</button></form>\
             <form method=post action=/note>Your note: <b id=note>{}</b>. <label>Another <input name=text></label> \
             <button>Keep it</button></form>",
            escape(note)
        ),
    )
}

/// The page of an account.
pub(crate) fn account(name: &str) -> String {
    page("Account", &format!("<p>This is the account of <b id=name>{}</b>.</p>", escape(name)))
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width\"><h1>{title}</h1>{content}"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
