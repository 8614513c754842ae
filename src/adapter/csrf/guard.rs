//! Requests that another site's page sends in a user's name, and the cookie that gives scripts of our own a token.

use std::sync::Arc;

use crate::cookie::{CookieAttributes, header};
use crate::csrf::{CsrfDecision, CsrfFacts, csrf_decision};
use crate::error::ConfigError;
use crate::request::PendingSession;
use crate::session::Session;

const FORBIDDEN: u16 = 403;
const INTERNAL_SERVER_ERROR: u16 = 500;

/// What a guard was told when the application was built.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuardSettings {
    origins: Vec<String>,
    readable_cookie: Option<Arc<CookieAttributes>>,
}

impl GuardSettings {
    /// # Errors
    ///
    /// [`ConfigError`] for anything that no browser sends, such as a path, capitals or a default port.
    pub(crate) fn add_origin(&mut self, origin: &str) -> Result<(), ConfigError> {
        check_origin(origin)?;
        self.origins.push(origin.to_owned());
        Ok(())
    }

    /// Those of `XSRF-TOKEN` where no attributes are given.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for attributes that cannot work.
    pub(crate) fn set_readable_cookie(&mut self, attributes: Option<CookieAttributes>) -> Result<(), ConfigError> {
        let attributes = attributes.unwrap_or_else(|| CookieAttributes::new().name("XSRF-TOKEN")).http_only(false);
        attributes.check()?;
        self.readable_cookie = Some(attributes.into());
        Ok(())
    }

    /// Reads what decides about a request, and the token that its browser has, out of its `Cookie` fields.
    pub(crate) fn read<'a>(
        &self,
        facts: &CsrfFacts<'_>,
        cookie_fields: impl Iterator<Item = &'a [u8]>,
    ) -> RequestCheck {
        let proof = match csrf_decision(facts, &self.origins) {
            CsrfDecision::Pass | CsrfDecision::VerifyField => Proof::NotNeeded,
            CsrfDecision::VerifyToken(token) => Proof::Token(token.to_vec()),
            CsrfDecision::Forbidden => Proof::Impossible,
        };
        let readable_cookie = self.readable_cookie.as_ref().map(|attributes| {
            let known_token = header::candidates(cookie_fields, attributes.cookie_name()).next();
            ReadableCookie {
                attributes: Arc::clone(attributes),
                known_token: known_token.and_then(|token| String::from_utf8(token.to_vec()).ok()),
            }
        });
        RequestCheck { proof, readable_cookie }
    }
}

/// The settings of a framework's guard, which has them in a field `settings`: the same words for all of them. `$guard` is how
/// users name it.
macro_rules! guard_settings {
    ($guard:literal) => {
        /// Adds an origin of the application itself, as browsers write it: scheme, host, and the port when it is not the
        /// scheme's own (RFC 6454 §6.2), like `https://example.com`.
        ///
        /// ```
        #[doc = concat!("use ", $guard, " as Guard;")]
        ///
        /// let guard = Guard::new().origin("https://example.com")?.origin("https://www.example.com:8443")?;
        /// assert_eq!(Guard::new().origin("https://example.com/").unwrap_err().setting(), "origin");
        /// # let _ = guard;
        /// # Ok::<(), sealed_session::ConfigError>(())
        /// ```
        ///
        /// # Errors
        ///
        /// [`ConfigError`](crate::ConfigError) for anything that no browser sends, such as a path, capitals or a default
        /// port.
        pub fn origin(mut self, origin: &str) -> Result<Self, crate::error::ConfigError> {
            std::sync::Arc::make_mut(&mut self.settings).add_origin(origin)?;
            Ok(self)
        }

        /// Gives scripts of the application's own pages a token in a cookie that they can read, to be sent back in the
        /// header `X-XSRF-TOKEN`. For sessions that exist; it is replaced when it does not verify any more, as after a
        /// login. Every response then depends on the session.
        ///
        /// The attributes are those of `XSRF-TOKEN` with `Path=/`, `Secure` and `SameSite=Lax` where `None` is given.
        ///
        /// ```
        #[doc = concat!("use ", $guard, " as Guard;")]
        ///
        /// let guard = Guard::new().origin("https://example.com")?.readable_cookie(None)?;
        /// # let _ = guard;
        /// # Ok::<(), sealed_session::ConfigError>(())
        /// ```
        ///
        /// # Errors
        ///
        /// [`ConfigError`](crate::ConfigError) for attributes that cannot work.
        pub fn readable_cookie(
            mut self,
            attributes: Option<crate::cookie::CookieAttributes>,
        ) -> Result<Self, crate::error::ConfigError> {
            std::sync::Arc::make_mut(&mut self.settings).set_readable_cookie(attributes)?;
            Ok(self)
        }
    };
}
pub(crate) use guard_settings;

/// As browsers write an origin, or no request would ever match it.
fn check_origin(origin: &str) -> Result<(), ConfigError> {
    let wrong = |problem| Err(ConfigError::new("origin", problem));
    let Some((scheme @ ("http" | "https"), authority)) = origin.split_once("://") else {
        return wrong("give a scheme and a host, like https://example.com");
    };
    let is_written_as_browsers_do = !authority.is_empty()
        && authority.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
    if !is_written_as_browsers_do {
        return wrong("browsers write the host in small ASCII letters, without a path or a user; write it so");
    }
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    if authority.ends_with(default_port) {
        return wrong("browsers leave the scheme's own port out; leave it out too");
    }
    Ok(())
}

/// Whether one of the values of `Upgrade` names it: RFC 9110 §7.8, RFC 6455 §4.1.
pub(crate) fn is_websocket<'a>(upgrades: impl Iterator<Item = &'a [u8]>) -> bool {
    upgrades
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// One request, as a guard has read it before the handler runs.
pub(crate) struct RequestCheck {
    proof: Proof,
    readable_cookie: Option<ReadableCookie>,
}

/// What a request must prove itself with.
enum Proof {
    NotNeeded,
    Token(Vec<u8>),
    Impossible,
}

struct ReadableCookie {
    attributes: Arc<CookieAttributes>,
    /// What the browser has already.
    known_token: Option<String>,
}

impl RequestCheck {
    /// Lets the request on to its handler. The session is loaded for a token alone.
    ///
    /// # Errors
    ///
    /// The status of the empty response that takes its place: 403, 503 when the store does not answer, or 500 without a
    /// session to which a token could belong, which is a mistake of the application.
    pub(crate) async fn pass(&self, pending: Option<&PendingSession>) -> Result<(), u16> {
        let token = match &self.proof {
            Proof::NotNeeded => return Ok(()),
            Proof::Impossible => return Err(FORBIDDEN),
            Proof::Token(token) => token,
        };
        let pending = pending.ok_or(INTERNAL_SERVER_ERROR)?;
        let session = pending.session().await.map_err(|error| error.status_code())?;
        let token = std::str::from_utf8(token).map_err(|_| FORBIDDEN)?;
        session.verify_csrf(Some(token)).map_err(|_| FORBIDDEN)
    }

    /// A line for `Set-Cookie` of a response with this status, where the session exists and the browser's token is none of
    /// its own.
    pub(crate) async fn readable_cookie_line(
        &self,
        pending: Option<&PendingSession>,
        status_code: u16,
    ) -> Option<String> {
        let (cookie, pending) = self.readable_cookie.as_ref().zip(pending)?;
        if !pending.is_written_with(status_code) {
            // A token of a session that the browser will not have would only take the place of one that is good.
            return None;
        }
        // A store that does not answer is told of elsewhere; the next response brings the token.
        let session = pending.session().await.ok()?;
        if session.id().is_none() || session.verify_csrf(cookie.known_token.as_deref()).is_ok() {
            return None;
        }
        fresh_token(&cookie.attributes, &session)
    }
}

fn fresh_token(cookie: &CookieAttributes, session: &Session) -> Option<String> {
    // A session that was destroyed in this request gets none.
    let token = session.csrf_token().ok()?;
    Some(header::issue(cookie, &token, None))
}
