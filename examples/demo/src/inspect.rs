//! Where the session is now.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use sealed_session::{Clock as _, Session, SystemClock, Timestamp};
use time::format_description::well_known::Rfc3339;

use crate::pages::Page;
use crate::{Answer, Manager};

pub(crate) async fn show(session: Session, State(Manager(manager)): State<Manager>, headers: HeaderMap) -> Answer {
    let page = Page::new(&session, "The session")?;
    let text = cookie_text(&headers, manager.cookie_name());
    let Some(opened) = text.and_then(|text| manager.sealer().open(text, SystemClock.now()).ok()) else {
        return page.html(
            "<p class=lead id=place data-place=none>There is no session.</p>\
             <p>Nothing has been written yet, or the cookie was refused: forged, expired, or sealed under a key that this \
             server does not have. A refused cookie is never an error.</p>",
        );
    };
    let (place, sentence) = if opened.is_reference() {
        ("store", "The data is in the server's store. The cookie carries a sealed reference to it.")
    } else {
        ("cookie", "The data is in the cookie, encrypted and authenticated. The server keeps nothing.")
    };
    let data_bytes = serde_json_length(&session);
    let name_and_value = manager.cookie_name().len() + text.map_or(0, str::len);
    let public_id = session.id().map(|id| id.to_string()).unwrap_or_default();
    page.html(&format!(
        "<p class=lead id=place data-place={place}>{sentence}</p>\
         <dl><dt>Place<dd>{place}\
         <dt>Size of the data<dd><b id=bytes>{data_bytes}</b> bytes of JSON; the cookie takes up to {most}\
         <dt>Size of the cookie<dd><meter min=0 max=4096 value={name_and_value}></meter> {name_and_value} of 4096 bytes, name and value\
         <dt>Key<dd><code id=key>{key}</code>\
         <dt>Public id<dd><code id=public-id>{public_id}</code>\
         <dt>Created<dd>{created}<dt>Sealed<dd>{issued}<dt>Expires, unused<dd>{expires}</dl>\
         <p class=hint>Your scripts do not see the cookie (<code>HttpOnly</code>), no subdomain can set it \
         (<code>__Host-</code>), and every bit of it is authenticated: change one in your browser's tools and reload.</p>",
        most = manager.sealer().payload_max_bytes(),
        key = opened.key_id(),
        created = shown(opened.created()),
        issued = shown(opened.issued()),
        expires = shown(opened.expires()),
    ))
}

/// The value of our cookie, for display alone: the session layer reads cookies with more care.
fn cookie_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn serde_json_length(session: &Session) -> usize {
    sealed_session::json::Value::Object(session.all()).to_string().len()
}

fn shown(time: Timestamp) -> String {
    let text = time.to_date_time().format(&Rfc3339).unwrap_or_default();
    format!("<time datetime={text}>{text}</time>")
}
