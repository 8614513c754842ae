//! Requests as a browser sends them, and what comes back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use sealed_session::testing::CookieJar;
use sealed_session::{Session, SessionError, SessionManager};

use super::{Application, Site, clock};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A request before it has cookies.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, Vec<u8>)>,
    pub(crate) body: Body,
}

pub(crate) fn get(path: impl Into<String>) -> Request {
    Request { method: "GET", path: path.into(), headers: Vec::new(), body: Body::Whole(Vec::new()) }
}

pub(crate) fn post(path: impl Into<String>) -> Request {
    get(path).method("POST")
}

impl Request {
    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    /// Behind the fields of that name that it has.
    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_owned()));
        self
    }

    /// With a body of a known length.
    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        Self { body: Body::Whole(body), ..self.header("content-length", length) }
    }

    /// With a body that comes in pieces.
    pub(crate) fn stream(self, body: Stream) -> Self {
        Self { body: Body::Stream(body), ..self }
    }

    /// With a body that is a form.
    pub(crate) fn form(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", FORM).body(body)
    }
}

#[derive(Clone)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    Stream(Stream),
}

/// A body that notes whether anybody asked for how it ends.
#[derive(Clone)]
pub(crate) struct Stream {
    text: String,
    breaks_off: bool,
    is_read: Arc<AtomicBool>,
}

impl Stream {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), breaks_off: false, is_read: Arc::default() }
    }

    /// The same, but it breaks off.
    pub(crate) fn broken(self) -> Self {
        Self { breaks_off: true, ..self }
    }

    pub(crate) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::SeqCst)
    }

    /// As a framework takes it.
    pub(crate) fn open<E: From<io::Error> + 'static>(self) -> BodyDataStream<UnsyncBoxBody<Bytes, E>> {
        let body = Full::new(Bytes::from(self.text)).map_err(|never| match never {}).with_trailers(async move {
            self.is_read.store(true, Ordering::SeqCst);
            self.breaks_off.then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset).into()))
        });
        BodyDataStream::new(body.boxed_unsync())
    }
}

/// A response that came whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Except for `Set-Cookie`; the names are in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) set_cookie: Vec<Line>,
    pub(crate) text: String,
}

/// A value of `Set-Cookie`.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Whether it is kept out of debug output and of tables of header compression, where a framework can say so.
    pub(crate) is_sensitive: Option<bool>,
}

impl Line {
    pub(crate) fn name(&self) -> &str {
        self.text.split('=').next().unwrap()
    }
}

impl Answer {
    /// With header fields of these names and values, and whether each is marked as sensitive.
    pub(crate) fn new<'a>(
        status: u16,
        fields: impl IntoIterator<Item = (&'a str, &'a str, Option<bool>)>,
        text: String,
    ) -> Self {
        let mut answer = Self { status, headers: Vec::new(), set_cookie: Vec::new(), text };
        for (name, value, is_sensitive) in fields {
            if name.eq_ignore_ascii_case("set-cookie") {
                answer.set_cookie.push(Line { text: value.to_owned(), is_sensitive });
            } else {
                answer.headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
        answer
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The names of the cookies that it sets, in their order. A marker has that of the session without the id of the session
    /// that was left.
    pub(crate) fn cookie_names(&self) -> Vec<&str> {
        let marker = "__Host-session-";
        self.set_cookie.iter().map(|line| if line.name().starts_with(marker) { marker } else { line.name() }).collect()
    }

    /// A status and nothing else.
    #[track_caller]
    pub(crate) fn assert_refused(&self, status: u16) {
        assert_eq!((self.status, self.text.as_str()), (status, ""));
        assert!(self.set_cookie.is_empty(), "{:?}", self.set_cookie);
        for name in ["content-type", "location"] {
            assert_eq!(self.values(name), [""; 0], "{name}");
        }
    }

    #[track_caller]
    pub(crate) fn assert_says(&self, text: &str) {
        assert_eq!((self.status, self.text.as_str()), (200, text));
    }
}

/// Someone's browser at a site.
pub(crate) struct Browser<S> {
    pub(crate) site: S,
    pub(crate) manager: Option<SessionManager>,
    /// That of the session with a marker.
    pub(crate) administrators: Option<SessionManager>,
    pub(crate) jar: CookieJar,
}

impl<S: Site> Browser<S> {
    pub(crate) fn at(application: Application) -> Self {
        let (manager, administrators) = (application.sessions.clone(), application.administrators.clone());
        Self { site: S::new(application), manager, administrators, jar: CookieJar::new(clock()) }
    }

    /// Its session holds a user.
    pub(crate) fn logged_in(application: Application) -> Self {
        let mut browser = Self::at(application);
        browser.visit(|session| session.put("user", &42));
        browser
    }

    /// The same browser after a change of the application.
    pub(crate) fn moved_to(self, application: Application) -> Self {
        Self { jar: self.jar, ..Self::at(application) }
    }

    /// Uses the session without a request to the site.
    pub(crate) fn visit<R>(&mut self, visit: impl FnOnce(&Session) -> Result<R, SessionError>) -> R {
        self.jar.visit(self.manager.as_ref().unwrap(), visit).unwrap()
    }

    /// The same with the session that has a marker.
    pub(crate) fn administrate<R>(&mut self, visit: impl FnOnce(&Session) -> Result<R, SessionError>) -> R {
        self.jar.visit(self.administrators.as_ref().unwrap(), visit).unwrap()
    }

    /// A token of the whole session.
    pub(crate) fn token(&mut self) -> String {
        self.visit(Session::csrf_token)
    }

    pub(crate) fn send(&mut self, request: Request) -> Answer {
        let answer = self.site.send(request.header("cookie", self.jar.cookie_header()));
        answer.set_cookie.iter().for_each(|line| self.jar.receive(&line.text));
        answer
    }

    /// What a page says.
    pub(crate) fn open(&mut self, path: &str) -> String {
        let answer = self.send(get(path));
        assert_eq!(answer.status, 200, "{path}");
        answer.text
    }
}
