//! The demo: a home page for guests and users, a login, a profile behind it, a cart that outgrows its cookie.

mod cart;
mod inspect;
pub mod keys;
mod pages;
mod user;

use axum::Router;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::{CookieStore, Session, SessionError};

use pages::Page;
use user::User;

/// The whole application over a session store.
pub fn application(store: CookieStore) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", get(user::login_form).post(user::log_in))
        .route("/logout", post(user::log_out))
        .route("/profile", get(user::profile))
        .route("/cart", get(cart::show))
        .route("/cart/add", post(cart::add))
        .route("/cart/fill", post(cart::fill))
        .route("/cart/empty", post(cart::empty))
        .route("/session", get(inspect::show))
        .layer(SessionLayer::new(store.clone()))
        .with_state(Store(store))
}

/// What a handler may need beside the session of its request.
#[derive(Clone, Debug)]
struct Store(CookieStore);

async fn home(session: Session) -> Result<impl IntoResponse, SessionError> {
    let Some(user) = User::of(&session)? else {
        return Ok(Page::new("Home", None).html(
            "<p class=lead>Welcome, guest.</p>\
             <p>Nothing is kept about you yet: reading an empty session leaves no trace, so your browser holds no cookie.</p>\
             <p><a class=button href=/login>Log in</a> <a class=button href=/cart>Go shopping</a></p>",
        ));
    };
    let visits = session.increment("visits", 1)?;
    let name = pages::escape(&user.name);
    Ok(Page::new("Home", Some(&user)).html(&format!(
        "<p class=lead>Welcome back, <b id=user>{name}</b>.</p>\
         <p>Times that you have opened this page since you logged in: <b id=visits>{visits}</b>.</p>\
         <p><a class=button href=/profile>Your profile</a> <a class=button href=/cart>Your cart</a></p>"
    )))
}

/// An answer that sends the browser elsewhere after a form was posted.
fn see_other(path: &str) -> Redirect {
    Redirect::to(path)
}

type Answer = Result<Html<String>, SessionError>;
