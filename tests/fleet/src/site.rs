use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use crate::proxy::SERVED_BY;

const COOKIE: &str = "__Host-session";

/// A shop as one browser sees it: its address, and the cookies that the browser keeps of it.
#[derive(Debug)]
pub struct Site {
    agent: Agent,
    address: String,
}

/// A page that was opened, behind any redirects.
#[derive(Debug)]
pub struct Page {
    /// The HTML.
    pub text: String,
    /// Which server gave it, where a proxy says so.
    pub served_by: Option<usize>,
}

impl Site {
    /// The shop on this port, in a browser without cookies.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .max_idle_connections(0)
            .build()
            .into();
        // By name: `Secure` cookies are taken over plain http from `localhost` alone.
        Self { agent, address: format!("http://localhost:{port}") }
    }

    /// Opens a page, as one does by a link.
    ///
    /// # Errors
    ///
    /// Says which page was no page.
    pub fn open(&self, path: &str) -> Result<Page, String> {
        let request = self.agent.get(format!("{}{path}", self.address)).header("Sec-Fetch-Dest", "document");
        page(path, request.call())
    }

    /// Sends a form, with the token that its page holds.
    ///
    /// # Errors
    ///
    /// Says which page was no page, or had no form.
    pub fn send(&self, page_with_form: &Page, path: &str, fields: &[(&str, &str)]) -> Result<Page, String> {
        let token = page_with_form.between("name=_csrf value=\"", "\"").ok_or_else(|| format!("no form for {path}"))?;
        let fields = fields.iter().copied().chain([("_csrf", token)]);
        let request = self.agent.post(format!("{}{path}", self.address)).header("Sec-Fetch-Dest", "document");
        page(path, request.send_form(fields))
    }

    /// The value of the session's cookie.
    #[must_use]
    pub fn session_cookie(&self) -> Option<String> {
        let jar = self.agent.cookie_jar_lock();
        jar.iter().find(|cookie| cookie.name() == COOKIE).map(|cookie| cookie.value().to_owned())
    }

    /// Puts another value in the place of the session's cookie, as the browser's owner can.
    pub fn set_session_cookie(&self, value: &str) {
        let address: Uri = self.address.parse().unwrap();
        let cookie = ureq::Cookie::parse(format!("{COOKIE}={value}; Path=/; Secure; HttpOnly"), &address).unwrap();
        self.agent.cookie_jar_lock().insert(cookie, &address).unwrap();
    }

    /// The id of the key under which the session's cookie is sealed: wire format, section 2. It takes no key to read it.
    #[must_use]
    pub fn key_id(&self) -> Option<String> {
        let envelope = URL_SAFE_NO_PAD.decode(self.session_cookie()?).expect("a sealed cookie is base64url");
        Some(URL_SAFE_NO_PAD.encode(&envelope[1..9]))
    }
}

impl Page {
    /// Who is logged in, as the head of the page says; `None` for a guest.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.between("<span class=who>", "</span>")
    }

    /// The message that an earlier request left.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.between("id=notice role=status>", "</p>")
    }

    /// The number in the element of this id.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.between(&format!("<b id={id}>"), "</b>")
            .or_else(|| self.between(&format!("<dd id={id}>"), "<"))?
            .parse()
            .ok()
    }

    fn between(&self, before: &str, behind: &str) -> Option<&str> {
        Some(self.text.split_once(before)?.1.split_once(behind)?.0)
    }
}

fn page(path: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Page, String> {
    let mut answer = answer.map_err(|error| format!("{path}: {error}"))?;
    let served_by = answer.headers().get(SERVED_BY).and_then(|number| number.to_str().ok()?.parse().ok());
    let text = answer.body_mut().read_to_string().map_err(|error| format!("{path}: {error}"))?;
    match answer.status().as_u16() {
        200 => Ok(Page { text, served_by }),
        status => Err(format!("{path}: status {status} from server {served_by:?}")),
    }
}
