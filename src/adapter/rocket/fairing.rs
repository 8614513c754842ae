use std::any::type_name;
use std::fmt;

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::{Build, Data, Request, Response, Rocket, error};

use super::super::Marked;
use super::csrf::Guarding;
use super::guard::{Attached, Begun, InRequest};
use super::response::{apply, empty, response_facts};
use crate::manager::SessionManager;
use crate::request::RequestFacts;
use crate::session::Session;

/// Gives every request its session, and writes it into the response.
///
/// ```
/// use rocket::{get, routes};
/// use sealed_session::adapter::rocket::SessionFairing;
/// use sealed_session::{SessionManager, Key, Session, SessionError};
///
/// #[get("/")]
/// fn greet(session: Session) -> Result<String, SessionError> {
///     Ok(format!("Hello, {}.", session.get_or("name", String::from("guest"))?))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = SessionManager::builder(Key::generate()?).build()?;
/// let application = rocket::build().attach(SessionFairing::new(manager)).mount("/", routes![greet]);
/// # let _ = application;
/// # Ok(()) }
/// ```
pub struct SessionFairing {
    choose: Box<dyn Fn(&Request<'_>) -> SessionManager + Send + Sync>,
    guard: &'static str,
    attach: fn(Rocket<Build>) -> fairing::Result,
    in_request: for<'r> fn(&'r Request<'_>) -> &'r InRequest,
}

impl SessionFairing {
    /// A fairing over this manager.
    #[must_use]
    pub fn new(manager: SessionManager) -> Self {
        Self::choosing(move |_| manager.clone())
    }

    /// A fairing that chooses the manager for each request: one for each tenant, say.
    ///
    /// ```
    /// use sealed_session::adapter::rocket::SessionFairing;
    /// use sealed_session::{SessionManager, Key};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).audience("shop").build()?;
    /// let blue = manager.with_audience("shop/blue")?;
    /// // Security: among those that are known. A name of the client's own choice must not make a tenant.
    /// let fairing = SessionFairing::choosing(move |request| match request.host() {
    ///     Some(host) if host.domain() == "blue.example.com" => blue.clone(),
    ///     _ => manager.clone(),
    /// });
    /// # let _ = fairing;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn choosing(manager: impl Fn(&Request<'_>) -> SessionManager + Send + Sync + 'static) -> Self {
        Self::of_guard::<Session>(Box::new(manager))
    }

    /// The same fairing for a second session of the same request: handlers find it by the marker, a type of the
    /// application's own, as [`Marked<Session, M>`](Marked).
    ///
    /// Two fairings without a marker, or with the same one, do not launch: Rocket says so in its log.
    ///
    /// ```
    /// use rocket::{get, routes};
    /// use sealed_session::adapter::{Marked, rocket::SessionFairing};
    /// use sealed_session::cookie::CookieAttributes;
    /// use sealed_session::{SessionManager, Key, Session, SessionError};
    ///
    /// /// The administrators' session, beside the customers'.
    /// struct Administration;
    ///
    /// #[get("/")]
    /// fn page(customer: Session, administrator: Marked<Session, Administration>) -> Result<String, SessionError> {
    ///     Ok(format!("{:?} {:?}", customer.get::<String>("name")?, administrator.get::<String>("name")?))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let customers = SessionManager::builder(Key::generate()?).build()?;
    /// let attributes = CookieAttributes::new().name("__Host-administration");
    /// let administrators = SessionManager::builder(Key::generate()?).cookie(attributes).build()?;
    /// let application = rocket::build()
    ///     .attach(SessionFairing::new(customers))
    ///     .attach(SessionFairing::new(administrators).marked::<Administration>())
    ///     .mount("/", routes![page]);
    /// # let _ = application;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn marked<M: 'static>(self) -> Self {
        Self::of_guard::<Marked<Session, M>>(self.choose)
    }

    fn of_guard<Guard: 'static>(choose: Box<dyn Fn(&Request<'_>) -> SessionManager + Send + Sync>) -> Self {
        Self { choose, guard: type_name::<Guard>(), attach: attach::<Guard>, in_request: InRequest::of::<Guard> }
    }
}

/// Leaves word for the guards, of which Rocket asks at launch whether their fairing is there.
#[expect(clippy::result_large_err, reason = "Rocket's own type, for a call at launch")]
fn attach<Guard: 'static>(rocket: Rocket<Build>) -> fairing::Result {
    // Security: which of two sessions a handler would read and write must not depend on the order of fairings.
    if Attached::is_in::<Guard, _>(&rocket) {
        error!(
            "two session fairings bring `{}`: attach `SessionFairing` once; a second one needs `.marked::<Marker>()` with a \
             marker of its own, and its handlers take `Marked<Session, Marker>`",
            type_name::<Guard>()
        );
        return Err(rocket);
    }
    Ok(rocket.manage(Marked::<_, Guard>::new(Attached)))
}

#[rocket::async_trait]
impl Fairing for SessionFairing {
    fn info(&self) -> Info {
        Info { name: self.guard, kind: Kind::Ignite | Kind::Request | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        (self.attach)(rocket)
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let (headers, jar) = (request.headers(), request.cookies());
        // Over a connection the jar is made of these fields. The client of Rocket's own tests fills the jar alone.
        // Security: never beside the fields, because the jar keeps one cookie of each name: a planted one could hide ours.
        let pairs = jar.iter().filter(|_| !headers.contains("Cookie"));
        let pairs = pairs.map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect::<Vec<_>>().join("; ");
        let fields = headers.get("Cookie").chain([pairs.as_str()]).map(str::as_bytes);
        let facts = fields.fold(RequestFacts::new(), RequestFacts::cookie_header);
        let dest = headers.get_one("Sec-Fetch-Dest").map(str::as_bytes);
        let facts = dest.into_iter().fold(facts, RequestFacts::sec_fetch_dest);
        let pending = (self.choose)(request).begin(&facts);
        // Anew also where it has begun: a clone of a request of Rocket's test client shares the cache.
        *(self.in_request)(request).lock() = Some(Begun { pending, load_failure: None, guarding: Guarding::default() });
    }

    /// Rocket runs it also behind catchers. The cookie jar is already written by then, and a catcher has emptied it: the
    /// session's headers are put into the response itself.
    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(Begun { pending, load_failure, guarding }) = (self.in_request)(request).lock().clone() else { return };
        // A guard can only fail, and Rocket then asks a catcher, whose page, Rocket's own or the application's, would be the
        // answer. A store that is down is an empty 503 behind every framework. A handler that took the failure as a
        // `Result`, and found an answer that is no failure, keeps it.
        if let Some(status_code) = load_failure
            && response.status().class().is_server_error()
        {
            *response = empty(status_code);
        }
        guarding.finish(&pending, response).await;
        let committed = pending.commit(&response_facts(response.status().code, response.headers())).await;
        match committed {
            Ok(commit) => apply(commit, response),
            Err(failed) => {
                *response = empty(failed.status_code());
                // What was saved before is sent with the error.
                apply(failed.commit, response);
            }
        }
    }
}

impl fmt::Debug for SessionFairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFairing").field("guard", &self.guard).finish_non_exhaustive()
    }
}
