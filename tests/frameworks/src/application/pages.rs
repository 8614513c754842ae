use sealed_session::{Session, SessionError};

/// The page of who is there, with a message that an earlier request left.
///
/// A guest without a session gets none: looking around leaves no trace.
///
/// # Errors
///
/// [`SessionError`] when the session holds something else than this application puts there.
pub fn home(session: &Session) -> Result<String, SessionError> {
    let message = session.flash_messages().get::<String>("message")?;
    let message = message.map_or_else(String::new, |message| format!("<p id=message>{}</p>", escape(&message)));
    let Some(name) = session.get::<String>("name")? else {
        return Ok(page("Home", &format!("{message}<p>Hello, guest. <a href=/login>Log in</a></p>")));
    };
    let visits = session.increment("visits", 1)?;
    let failures = session.get_or("failures", 0)?;
    let cart_bytes = session.get_or("cart", String::new())?.len();
    let csrf = csrf_field(session)?;
    Ok(page(
        "Home",
        &format!(
            "{message}<p>Hello, <b id=name>{}</b>.</p>\
             <p>Visits: <b id=visits>{visits}</b>. Failures: <b id=failures>{failures}</b>.</p>\
             <form method=post action=/cart>{csrf}<p>Your cart has <b id=cart>{cart_bytes}</b> bytes. \
             <label>Make it <input name=bytes value=10000></label> <button>bytes large</button></form>\
             <form method=post action=/logout>{csrf}<button>Log out</button></form>",
            escape(&name)
        ),
    ))
}

/// The form to log in.
///
/// # Errors
///
/// [`SessionError`] when the random source fails.
pub fn login_form(session: &Session) -> Result<String, SessionError> {
    let csrf = csrf_field(session)?;
    Ok(page(
        "Log in",
        &format!(
            "<form method=post action=/login>{csrf}<label>Your name <input name=name required></label> \
             <button>Log in</button></form>"
        ),
    ))
}

/// Logs in; whoever knew the guest's session gains nothing of the user's.
///
/// # Errors
///
/// [`SessionError`] when the name is too long to be kept.
pub fn log_in(session: &Session, name: &str) -> Result<(), SessionError> {
    session.regenerate()?;
    session.put("name", name)?;
    session.flash("message", &format!("Welcome, {name}."))
}

/// Logs out; the farewell travels in a new session.
///
/// # Errors
///
/// [`SessionError`] when the response is already on its way.
pub fn log_out(session: &Session) -> Result<(), SessionError> {
    session.invalidate()?;
    session.flash("message", "Goodbye.")
}

/// Makes the cart this large: beyond some 3000 bytes the session moves to the server store, and below it comes back.
///
/// # Errors
///
/// [`SessionError`] when the response is already on its way.
pub fn fill_cart(session: &Session, bytes: usize) -> Result<(), SessionError> {
    session.put("cart", &"x".repeat(bytes.min(100_000)))
}

/// Who sees which prices.
///
/// # Errors
///
/// [`SessionError`] when the session holds something else than this application puts there.
pub fn prices(session: &Session) -> Result<String, SessionError> {
    let name = session.get_or("name", "guest".to_owned())?;
    Ok(page("Prices", &format!("<p>Prices for <b id=name>{}</b>.</p>", escape(&name))))
}

/// What `/stream` writes before it begins to stream.
///
/// # Errors
///
/// [`SessionError`] when the response is already on its way.
pub fn remember_stream(session: &Session) -> Result<(), SessionError> {
    session.increment("visits", 10).map(|_| ())
}

/// What `/fail` and `/panic` write before they fail.
///
/// # Errors
///
/// [`SessionError`] when the response is already on its way.
pub fn count_failure(session: &Session) -> Result<(), SessionError> {
    session.increment("failures", 1).map(|_| ())
}

/// The administration's page: two sessions in one request.
///
/// # Errors
///
/// [`SessionError`] when a session holds something else than this application puts there.
pub fn administration(everybody: &Session, administration: &Session) -> Result<String, SessionError> {
    let name = everybody.get_or("name", "guest".to_owned())?;
    let administrator = administration.get_or("administrator", "nobody".to_owned())?;
    let csrf = csrf_field(administration)?;
    Ok(page(
        "Administration",
        &format!(
            "<p>Here is <b id=name>{}</b>, and as administrator <b id=administrator>{}</b>.</p>\
             <form method=post action=/administration>{csrf}<label>Administrator <input name=name required></label> \
             <button>Log in</button></form>",
            escape(&name),
            escape(&administrator)
        ),
    ))
}

/// Logs an administrator in.
///
/// # Errors
///
/// [`SessionError`] when the name is too long to be kept.
pub fn administrator_in(administration: &Session, name: &str) -> Result<(), SessionError> {
    administration.regenerate()?;
    administration.put("administrator", name)
}

fn csrf_field(session: &Session) -> Result<String, SessionError> {
    Ok(format!("<input type=hidden name=_csrf value=\"{}\">", session.csrf_token()?))
}

fn page(title: &str, content: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width\"><nav><a href=/>Home</a> <a href=/prices>Prices</a> \
         <a href=/administration>Administration</a> <a href=/theme>Theme</a> <a href=/stream>Stream</a> \
         <a href=/about>About</a></nav><h1>{title}</h1>{content}"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
