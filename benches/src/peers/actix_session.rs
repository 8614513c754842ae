use std::collections::HashMap;
use std::fmt;

use actix_session::storage::{CookieSessionStore, SessionKey, SessionStore as _};
use actix_web::cookie::{Cookie, CookieJar, Key, SameSite, time::Duration};
use serde::Serialize;

use super::{Cookies, MAX_AGE, now_or_never};
use crate::NAME;
use crate::visit::{Received, Visit};

/// `actix-session` with its cookie store, private: the steps of its middleware around its store, in their order, without
/// the framework's request and response. It keeps every key as JSON text in a map of texts.
pub struct ActixSession {
    key: Key,
    store: CookieSessionStore,
}

type State = HashMap<String, String>;

impl ActixSession {
    /// With a new key.
    #[expect(clippy::new_without_default, reason = "a key is drawn, and no two are alike")]
    #[must_use]
    pub fn new() -> Self {
        Self { key: Key::generate(), store: CookieSessionStore::default() }
    }

    fn load(&self, request: &Received) -> Option<State> {
        let cookies: Result<Vec<_>, _> =
            request.line.split(';').map(|pair| Cookie::parse_encoded(pair.trim().to_owned())).collect();
        let cookies = cookies.ok()?;
        let cookie = cookies.iter().find(|cookie| cookie.name() == NAME)?;
        let mut jar = CookieJar::new();
        jar.add_original(cookie.clone());
        let key: SessionKey = jar.private(&self.key).get(NAME)?.value().to_owned().try_into().ok()?;
        now_or_never(self.store.load(&key)).ok()?
    }

    fn save(&self, state: State) -> String {
        let max_age = Duration::seconds(MAX_AGE);
        let key = now_or_never(self.store.save(state, &max_age)).expect("it fits");
        let mut cookie = Cookie::new(NAME, String::from(key));
        cookie.set_secure(true);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        cookie.set_path("/");
        cookie.set_max_age(max_age);
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key).add(cookie);
        jar.delta().next().expect("it was added").encoded().to_string()
    }
}

fn insert(state: &mut State, key: &str, value: &impl Serialize) {
    state.insert(key.to_owned(), serde_json::to_string(value).expect("it is JSON"));
}

fn get<T: serde::de::DeserializeOwned>(state: &State, key: &str) -> Option<T> {
    serde_json::from_str(state.get(key)?).ok()
}

impl Cookies for ActixSession {
    fn name(&self) -> &'static str {
        "actix-session"
    }

    fn seal(&self, visit: &Visit) -> String {
        let mut state = State::new();
        insert(&mut state, "user", &visit.user);
        insert(&mut state, "role", &visit.role);
        insert(&mut state, "cart", &visit.cart);
        insert(&mut state, "note", &visit.note);
        self.save(state)
    }

    fn open(&self, request: &Received) -> Option<Visit> {
        let state = self.load(request)?;
        Some(Visit {
            user: get(&state, "user")?,
            role: get(&state, "role")?,
            cart: get(&state, "cart")?,
            note: get(&state, "note")?,
        })
    }

    fn user(&self, request: &Received) -> Option<u64> {
        get(&self.load(request)?, "user")
    }

    fn change(&self, request: &Received) -> String {
        let mut state = self.load(request).expect("it is good");
        let user: u64 = get(&state, "user").expect("a number");
        insert(&mut state, "user", &(user + 1));
        self.save(state)
    }
}

impl fmt::Debug for ActixSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActixSession").finish_non_exhaustive()
    }
}
