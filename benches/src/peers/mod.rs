//! Sessions in encrypted cookies: ours, and the others'.

mod actix_session;
mod axum_extra;
mod jar;
mod jwe;
mod ours;
mod paseto;
mod straight;

pub use self::actix_session::ActixSession;
pub use self::axum_extra::AxumExtra;
pub use self::jar::Jar;
pub use self::jwe::Jwe;
pub use self::ours::Ours;
pub use self::paseto::Paseto;
pub use self::straight::Straight;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cookie::Cookie;

use crate::NAME;
use crate::visit::{Received, Visit};

/// A session's way from a request to a response.
pub trait Cookies {
    /// What it is called in a table.
    fn name(&self) -> &'static str;

    /// From a typed value to the value of `Set-Cookie`.
    fn seal(&self, visit: &Visit) -> String;

    /// From the header `Cookie` to a typed value.
    fn open(&self, request: &Received) -> Option<Visit>;

    /// One key. Who has no keys reads everything.
    fn user(&self, request: &Received) -> Option<u64> {
        self.open(request).map(|visit| visit.user)
    }

    /// Opens, reads one key, changes one, and seals.
    fn change(&self, request: &Received) -> String {
        let mut visit = self.open(request).expect("it is good");
        visit.user += 1;
        self.seal(&visit)
    }
}

/// Seconds for which all of these cookies are kept.
const MAX_AGE: i64 = 7200;

/// A cookie with the attributes that ours has by default.
fn cookie<'c>(value: String) -> Cookie<'c> {
    Cookie::build((NAME, value))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(cookie::SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(MAX_AGE))
        .build()
}

/// The value of our cookie in a header, for those who need no decoding.
fn find(request: &Received) -> Option<&str> {
    request.line.split("; ").find_map(|pair| pair.strip_prefix(NAME)?.strip_prefix('='))
}

/// The outcome of a future that waits for nothing.
fn now_or_never<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("waits, and there is nothing to wait for"),
    }
}
