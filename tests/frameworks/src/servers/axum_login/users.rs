use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use axum_login::{AuthUser, AuthnBackend, AuthzBackend};
use serde::Deserialize;

/// The users of the site, in memory: `ferris`, and `admin` who may read what is restricted. Both have the password
/// `hunter42`.
#[derive(Clone, Debug)]
pub(crate) struct Users(Arc<BTreeMap<String, User>>);

#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    password_hash: String,
    may_read_restricted: bool,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    password: String,
    pub(crate) next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReadRestricted;

impl Users {
    pub(crate) fn new() -> Self {
        // Its cost is the point, so it is made once.
        let password_hash = password_auth::generate_hash("hunter42");
        let user = |(name, may_read_restricted): (&str, bool)| {
            let user = User { name: name.to_owned(), password_hash: password_hash.clone(), may_read_restricted };
            (user.name.clone(), user)
        };
        Self(Arc::new([("admin", true), ("ferris", false)].map(user).into()))
    }
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.clone()
    }

    /// A new password ends the sessions that began under the old one.
    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = Infallible;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, Infallible> {
        let user = self.0.get(&given.name);
        let is_right = |user: &&User| password_auth::verify_password(&given.password, &user.password_hash).is_ok();
        Ok(user.filter(is_right).cloned())
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(name).cloned())
    }
}

impl AuthzBackend for Users {
    type Permission = ReadRestricted;

    async fn get_user_permissions(&self, user: &User) -> Result<HashSet<ReadRestricted>, Infallible> {
        Ok(user.may_read_restricted.then_some(ReadRestricted).into_iter().collect())
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}
