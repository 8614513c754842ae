use axum::response::IntoResponse as _;
use axum_extra::extract::cookie::{Key, PrivateCookieJar};
use http::header::SET_COOKIE;

use super::{Cookies, cookie};
use crate::NAME;
use crate::visit::{Received, Visit};

/// `PrivateCookieJar` of `axum-extra`: from the map of headers to that of the response.
#[derive(Debug)]
pub struct AxumExtra(Key);

impl AxumExtra {
    /// With a new key.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    #[must_use]
    pub fn new() -> Self {
        Self(Key::generate())
    }

    fn received(&self, request: &Received) -> PrivateCookieJar {
        PrivateCookieJar::from_headers(&request.headers, self.0.clone())
    }
}

fn get(jar: &PrivateCookieJar) -> Option<Visit> {
    serde_json::from_str(jar.get(NAME)?.value()).ok()
}

fn add(jar: PrivateCookieJar, visit: &Visit) -> String {
    let response = jar.add(cookie(serde_json::to_string(visit).expect("it is JSON"))).into_response();
    response.headers()[SET_COOKIE].to_str().expect("it is ASCII").to_owned()
}

impl Cookies for AxumExtra {
    fn name(&self) -> &'static str {
        "axum-extra"
    }

    fn seal(&self, visit: &Visit) -> String {
        add(PrivateCookieJar::new(self.0.clone()), visit)
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        get(&self.received(request))
    }

    fn change(&self, request: &Received) -> String {
        let jar = self.received(request);
        let mut visit = get(&jar).expect("it is good");
        visit.user += 1;
        add(jar, &visit)
    }
}
