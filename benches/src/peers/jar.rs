use cookie::{Cookie, CookieJar, Key};

use super::{Cookies, cookie};
use crate::NAME;
use crate::visit::{Received, Visit};

/// The private jar of `cookie`, percent-encoded as its documentation asks.
#[derive(Debug)]
pub struct Jar(Key);

impl Jar {
    /// With a new key.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    #[must_use]
    pub fn new() -> Self {
        Self(Key::generate())
    }

    fn add(&self, mut jar: CookieJar, visit: &Visit) -> String {
        jar.private_mut(&self.0).add(cookie(serde_json::to_string(visit).expect("it is JSON")));
        jar.delta().next().expect("it was added").encoded().to_string()
    }

    fn get(&self, jar: &CookieJar) -> Option<Visit> {
        serde_json::from_str(jar.private(&self.0).get(NAME)?.value()).ok()
    }
}

fn received(request: &Received) -> CookieJar {
    let mut jar = CookieJar::new();
    for cookie in Cookie::split_parse_encoded(request.line.clone()).flatten() {
        jar.add_original(cookie);
    }
    jar
}

impl Cookies for Jar {
    fn name(&self) -> &'static str {
        "`cookie`"
    }

    fn seal(&self, visit: &Visit) -> String {
        self.add(CookieJar::new(), visit)
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        self.get(&received(request))
    }

    fn change(&self, request: &Received) -> String {
        let jar = received(request);
        let mut visit = self.get(&jar).expect("it is good");
        visit.user += 1;
        self.add(jar, &visit)
    }
}
