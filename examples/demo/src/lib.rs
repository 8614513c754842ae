//! The demo: a home page for guests and users, a login, a profile behind it, a cart that outgrows its cookie, a contact
//! form with rules, pictures that ask who is there, and what the operator sees of its keys.

mod cart;
mod contact;
mod form;
mod inspect;
pub mod keys;
pub mod operator;
pub mod options;
mod pages;
mod pictures;
mod user;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use sealed_session::adapter::tower::SessionLayer;
use sealed_session::{Session, SessionError, SessionManager};

use pages::Page;

/// The whole application over a session manager.
pub fn application(manager: SessionManager) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", get(user::login_form).post(user::log_in))
        .route("/logout", post(user::log_out))
        .route("/forget", post(user::forget))
        .route("/profile", get(user::profile))
        .route("/cart", get(cart::show))
        .route("/cart/add", post(cart::add))
        .route("/cart/fill", post(cart::fill))
        .route("/cart/empty", post(cart::empty))
        .route("/contact", get(contact::show).post(contact::send))
        .route("/pixels", get(pictures::show))
        .route("/pixels/message", post(pictures::leave_message))
        .route("/pixel/{number}", get(pictures::picture))
        .route("/whoami", get(pictures::whoami))
        .route("/session", get(inspect::show))
        // Layers wrap what stands before them: the session is there when the form is checked.
        .layer(from_fn(form::refuse_forged))
        .layer(SessionLayer::new(manager.clone()))
        .with_state(Manager(manager))
}

/// What a handler may need beside the session of its request.
#[derive(Clone, Debug)]
struct Manager(SessionManager);

async fn home(session: Session) -> Answer {
    let page = Page::new(&session, "Home")?;
    let Some(user) = page.user() else {
        return page.html(
            "<p class=lead>Welcome, guest.</p>\
             <p>To look around leaves no trace: your browser gets a cookie when there is something to keep, or a form to \
             protect.</p>\
             <p><a class=button href=/login>Log in</a> <a class=button href=/cart>Go shopping</a></p>",
        );
    };
    let visits = session.increment("visits", 1)?;
    let name = pages::escape(&user.name);
    page.html(&format!(
        "<p class=lead>Welcome back, <b id=user>{name}</b>.</p>\
         <p>Times that you have opened this page since you logged in: <b id=visits>{visits}</b>.</p>\
         <p><a class=button href=/profile>Your profile</a> <a class=button href=/cart>Your cart</a></p>"
    ))
}

/// An answer that sends the browser elsewhere after a form was posted.
fn see_other(path: &str) -> Redirect {
    Redirect::to(path)
}

type Answer = Result<Html<String>, SessionError>;
