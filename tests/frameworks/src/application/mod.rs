//! One small application, for the server of every framework: who is there, a cart that may outgrow its cookie, an
//! administration with a session of its own, two tenants, and some pages on which frameworks differ.
//!
//! Handlers hand their [`Session`](sealed_session::Session) in and get a page back; routing, forms and responses are the
//! framework's. The routes are the same everywhere:
//!
//! | route | what it does |
//! |---|---|
//! | `GET /` | [`home`]: greets, counts visits of who is logged in, shows a message once |
//! | `GET /login`, `POST /login` | [`login_form`], [`log_in`]: fields `name` and `_csrf` |
//! | `POST /logout` | [`log_out`]: field `_csrf` |
//! | `POST /cart` | [`fill_cart`]: fields `bytes` and `_csrf` |
//! | `GET /theme` | counts a visit, and sets two cookies of the application's own beside the session's |
//! | `GET /prices` | shows who is there, with `Cache-Control: public, max-age=60` |
//! | `GET /about` | the same header, and never asks for the session |
//! | `GET /stream` | [`remember_stream`], and then [`STREAM`] piece by piece |
//! | `GET /fail` | [`count_failure`], and then the handler's error |
//! | `GET /panic` | [`count_failure`], and then a panic |
//! | `GET /administration`, `POST /administration` | both sessions; the form logs an administrator in |

mod pages;
mod sites;

use std::net::SocketAddr;

pub use pages::{
    administration, administrator_in, count_failure, fill_cart, home, log_in, log_out, login_form, prices,
    remember_stream,
};
pub use sites::Sites;

/// Is told once where a server listens.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send>;

/// Marks the session of the administration, beside that of everybody.
#[derive(Debug)]
pub struct Administration;

/// The body of `/stream`, in its pieces.
pub const STREAM: [&str; 3] = ["<p>one", "<p>two", "<p>three"];

/// The page that never asks for a session.
pub const ABOUT: &str = "<!doctype html><title>About</title><p>Everybody may keep this page.";

/// `Cache-Control` of the pages that everybody may keep.
pub const PUBLIC: &str = "public, max-age=60";

/// `Set-Cookie` of `/theme`.
pub const THEME: [&str; 2] = ["theme=dark; Path=/; SameSite=Lax", "font=large; Path=/; SameSite=Lax"];
