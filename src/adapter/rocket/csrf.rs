use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::response::{self, Responder};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Build, Data, Request, Response, Rocket, error};

use super::guard::{Attached, InRequest};
use super::response::empty;
use crate::adapter::Marked;
use crate::adapter::csrf::{GuardSettings, RequestCheck, guard_settings, is_websocket};
use crate::csrf::{CsrfError, CsrfFacts};
use crate::request::PendingSession;
use crate::session::Session;

/// All that Rocket knows: it answers a request with another one by itself.
const METHODS: [Method; 9] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Options,
    Method::Head,
    Method::Trace,
    Method::Connect,
    Method::Patch,
];

/// The name of its routes, in Rocket's log too.
const NAME: &str = "CsrfFairing";

/// Refuses requests that another site's page sends in a user's name: 403 with an empty body.
///
/// It is attached behind the [`SessionFairing`](super::SessionFairing), or the application does not launch. Requests with
/// `GET`, `HEAD` and `OPTIONS` pass, so their handlers must change nothing. What is left to the handler is a form of a
/// browser too old to say where it comes from: take it as [`CsrfForm`](crate::adapter::CsrfForm).
///
/// A fairing of Rocket cannot answer, so this one mounts a route for every path before all others. It answers what is
/// refused, and forwards what is not to the application's routes. It looks at a request as these will find it: behind every
/// fairing that changes it, and with the method of a form's field `_method`.
///
/// ```
/// use rocket::local::blocking::Client;
/// use rocket::{post, routes};
/// use sealed_session::adapter::rocket::{CsrfFairing, SessionFairing};
/// use sealed_session::{SessionManager, Key};
///
/// #[post("/transfer")]
/// fn transfer() -> &'static str {
///     "done"
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let application = rocket::build()
///     .attach(SessionFairing::new(manager))
///     .attach(CsrfFairing::new().origin("https://example.com")?)
///     .mount("/", routes![transfer]);
///
/// let browser = Client::tracked(application)?;
/// assert_eq!(browser.post("/transfer").dispatch().status().code, 403);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a guard that is not attached guards nothing"]
pub struct CsrfFairing {
    settings: Arc<GuardSettings>,
    session: &'static str,
    attach: fn(Rocket<Build>) -> fairing::Result,
    in_request: for<'r> fn(&'r Request<'_>) -> &'r InRequest,
}

impl CsrfFairing {
    /// A guard that knows no origin: requests without `Sec-Fetch-Site` need a token.
    pub fn new() -> Self {
        Self::of_guard::<Session>(Arc::default())
    }

    guard_settings!("sealed_session::adapter::rocket::CsrfFairing");

    /// The same guard for the session with this marker, that of [`SessionFairing::marked`](super::SessionFairing::marked).
    ///
    /// Where both sessions have a guard, a request passes if it passes both. No token is of both sessions, so scripts send
    /// none in a header there: `Sec-Fetch-Site` and `Origin` are their proof. A readable cookie beside that of another
    /// guard needs a name of its own.
    ///
    /// ```
    /// use sealed_session::adapter::rocket::CsrfFairing;
    ///
    /// struct Administration;
    ///
    /// let guard = CsrfFairing::new().origin("https://administration.example.com")?.marked::<Administration>();
    /// # let _ = guard;
    /// # Ok::<(), sealed_session::ConfigError>(())
    /// ```
    pub fn marked<M: 'static>(self) -> Self {
        Self::of_guard::<Marked<Session, M>>(self.settings)
    }

    fn of_guard<Guard: 'static>(settings: Arc<GuardSettings>) -> Self {
        Self { settings, session: type_name::<Guard>(), attach: attach::<Guard>, in_request: InRequest::of::<Guard> }
    }
}

impl Default for CsrfFairing {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CsrfFairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME).field("session", &self.session).field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// In Rocket's managed state, marked with a guard: that its session is guarded against forged requests.
struct Guarded;

#[expect(clippy::result_large_err, reason = "Rocket's own type, for a call at launch")]
fn attach<Guard: 'static>(rocket: Rocket<Build>) -> fairing::Result {
    let session = type_name::<Guard>();
    // Without a session every token would be answered with 500.
    if !Attached::is_in::<Guard, _>(&rocket) {
        error!(
            "`CsrfFairing` found no session fairing that brings `{session}`: attach `SessionFairing` before it; for \
             `Marked<Session, Marker>`, both need `.marked::<Marker>()`"
        );
        return Err(rocket);
    }
    // Each would know the origins of one, and the readable cookie would be that of either.
    if rocket.state::<Marked<Guarded, Guard>>().is_some() {
        error!(
            "two guards against forged requests for `{session}`: attach `CsrfFairing` once, with all origins; one for \
             `Marked<Session, Marker>` needs `.marked::<Marker>()`"
        );
        return Err(rocket);
    }
    Ok(rocket.manage(Marked::<_, Guard>::new(Guarded)))
}

#[rocket::async_trait]
impl Fairing for CsrfFairing {
    fn info(&self) -> Info {
        Info { name: NAME, kind: Kind::Ignite }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        let rocket = (self.attach)(rocket)?;
        let others = rocket.routes().filter(|route| route.name.as_deref() == Some(NAME) && route.method == Method::Get);
        // Security: before any route of the application. One of the same rank, as another guard's would be, does not launch.
        let rank = others.fold(isize::MIN, |rank, _| rank.saturating_add(1));
        let routes: Vec<_> = METHODS.into_iter().map(|method| self.route(rank, method)).collect();
        Ok(rocket.mount("/", routes))
    }
}

impl CsrfFairing {
    fn route(&self, rank: isize, method: Method) -> Route {
        let mut route = Route::ranked(rank, method, "/<_..>", Gate(self.clone()));
        route.name = Some(NAME.into());
        route
    }

    fn read(&self, request: &Request<'_>) -> RequestCheck {
        let headers = request.headers();
        let header = |name: &str| headers.get_one(name).map(str::as_bytes);
        let facts = CsrfFacts {
            method: request.method().as_str(),
            token_header: CsrfFacts::TOKEN_HEADERS.into_iter().find_map(header),
            sec_fetch_site: header("Sec-Fetch-Site"),
            origin: header("Origin"),
            content_type: header("Content-Type"),
            is_websocket: is_websocket(headers.get("Upgrade").map(str::as_bytes)),
        };
        // The client of Rocket's own tests fills the jar alone.
        let jar = request.cookies().iter().filter(|_| !headers.contains("Cookie"));
        let pairs: Vec<_> = jar.map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let fields = headers.get("Cookie").chain(pairs.iter().map(String::as_str));
        self.settings.read(&facts, fields.map(str::as_bytes))
    }
}

/// Stands before the application's routes.
#[derive(Clone)]
struct Gate(CsrfFairing);

#[rocket::async_trait]
impl Handler for Gate {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Self(guard) = self;
        let in_request = (guard.in_request)(request);
        let pending = in_request.lock().as_ref().map(|begun| begun.pending.clone());
        let check = guard.read(request);
        if let Err(status_code) = check.pass(pending.as_ref()).await {
            // `Success` also of a refusal: a catcher would answer an error with a page.
            return Outcome::Success(empty(status_code));
        }
        if let Some(begun) = in_request.lock().as_mut() {
            begun.guarding.passed = Some(Arc::new(check));
        }
        // As Rocket answers where no route matches.
        Outcome::forward(data, Status::NotFound)
    }
}

/// What guards leave for the response of a request.
#[derive(Clone, Default)]
pub(super) struct Guarding {
    /// By a fairing that let the request pass.
    passed: Option<Arc<RequestCheck>>,
    /// The status of a form that was refused.
    pub(super) refused_form: Option<u16>,
}

impl Guarding {
    /// Behind the handler, whose login the readable token follows, and before the session is written, which marks the
    /// response as private.
    pub(super) async fn finish(self, pending: &PendingSession, response: &mut Response<'_>) {
        // A guard can only fail, and Rocket then asks a catcher, whose page would be the answer to a forged request.
        if let Some(status_code) = self.refused_form
            && !take_mark(response)
            && response.status().code == status_code
        {
            *response = empty(status_code);
        }
        if let Some(check) = self.passed
            && let Some(line) = check.readable_cookie_line(Some(pending), response.status().code).await
        {
            response.adjoin_raw_header("Set-Cookie", line);
        }
    }
}

/// The name of a cookie that no client gets: it stays in the response of a handler that took a refused form as a `Result`,
/// and found an answer of its own. Rocket drops it, as it does every new cookie, before it asks a catcher.
const MARK: &str = "sealed-session-refused-form";

/// Puts it into the request's jar.
pub(super) fn mark(request: &Request<'_>) {
    request.cookies().add((MARK, ""));
}

/// Whether it was there.
fn take_mark(response: &mut Response<'_>) -> bool {
    let lines = response.headers().get("Set-Cookie").map(str::to_owned);
    let (marks, others): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with(MARK));
    response.remove_header("Set-Cookie");
    for line in others {
        response.adjoin_raw_header("Set-Cookie", line);
    }
    !marks.is_empty()
}

/// Lets handlers use `?` on a token's verification: 403 with an empty body.
impl<'r> Responder<'r, 'static> for CsrfError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        // `Ok` also of a failure: a catcher would answer `Err` with a page.
        Ok(empty(self.status_code()))
    }
}
