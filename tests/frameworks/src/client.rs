use std::net::SocketAddr;
use std::time::Duration;

use ureq::http::{HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body, SendBody};

/// The session's cookie.
pub(crate) const COOKIE: &str = "__Host-session";

/// A browser without scripts: it keeps cookies, sends forms, and follows no redirect by itself.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    address: String,
    host: String,
}

/// A response that came whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields, in order; names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub text: String,
}

impl Client {
    /// A client without cookies, who knows the server by this name.
    #[must_use]
    pub fn new(host: &str, server: SocketAddr) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .max_idle_connections(0)
            .build()
            .into();
        // By name: `Secure` cookies are taken over plain http from `localhost` alone.
        let address = format!("http://localhost:{}", server.port());
        Self { agent, address, host: format!("{host}:{}", server.port()) }
    }

    /// Opens a page; `None` when the connection is closed without a response.
    #[must_use]
    pub fn try_open(&self, path: &str) -> Option<Answer> {
        let request = self.request("GET", path).header("Sec-Fetch-Dest", "document").body(SendBody::none()).unwrap();
        self.agent.run(request).ok().map(Answer::new)
    }

    /// Opens a page.
    #[must_use]
    pub fn open(&self, path: &str) -> Answer {
        self.try_open(path).unwrap_or_else(|| panic!("{path}: no response"))
    }

    /// Opens a page with these fields of `Cookie`, and with none of its own jar when that is empty.
    #[must_use]
    pub fn open_with_cookies(&self, path: &str, fields: &[&[u8]]) -> Answer {
        let request = self.request("GET", path).header("Sec-Fetch-Dest", "document");
        let request = fields
            .iter()
            .fold(request, |request, field| request.header("Cookie", HeaderValue::from_bytes(field).unwrap()));
        Answer::new(self.agent.run(request.body(SendBody::none()).unwrap()).unwrap())
    }

    /// Sends a form as it is.
    #[must_use]
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(&[], path, fields)
    }

    /// Sends a form with these header fields.
    #[must_use]
    pub fn send_with(&self, headers: &[(&str, &str)], path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request("POST", path).header("Content-Type", "application/x-www-form-urlencoded");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        // Nothing that the tests send needs more than this: tokens are base64url.
        let form = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+")));
        let form = form.collect::<Vec<_>>().join("&");
        Answer::new(self.agent.run(request.body(form).unwrap()).unwrap())
    }

    /// Opens a page and sends its form, with the token that stands in it.
    #[must_use]
    pub fn fill_in(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.open(page);
        let token = page.csrf_token().unwrap_or_else(|| panic!("no form in {page:?}"));
        self.send(path, &[fields, &[("_csrf", token)]].concat())
    }

    /// Logs in.
    pub fn log_in(&self, name: &str) {
        let answer = self.fill_in("/login", "/login", &[("name", name)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
    }

    /// Makes the cart this large.
    pub fn fill_cart(&self, bytes: usize) {
        let answer = self.fill_in("/", "/cart", &[("bytes", &bytes.to_string())]);
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    /// Who the home page says is there.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.open("/").element("name").map(str::to_owned)
    }

    /// The value of the session's cookie.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie_named(COOKIE)
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie_named(&self, name: &str) -> Option<String> {
        let jar = self.agent.cookie_jar_lock();
        jar.iter().find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    }

    /// Puts a value in the place of the session's cookie, as the browser's owner can.
    pub fn plant(&self, value: &str) {
        let address: Uri = self.address.parse().unwrap();
        let cookie = ureq::Cookie::parse(format!("{COOKIE}={value}; Path=/; Secure; HttpOnly"), &address).unwrap();
        self.agent.cookie_jar_lock().insert(cookie, &address).unwrap();
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        Request::builder().method(method).uri(format!("{}{path}", self.address)).header("Host", &self.host)
    }
}

impl Answer {
    fn new(mut answer: Response<Body>) -> Self {
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let text = answer.body_mut().read_to_string().unwrap();
        Self { status: answer.status().as_u16(), headers, text }
    }

    /// The values of a header field.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The one value of a header field, if there is one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.values(name);
        assert!(values.len() <= 1, "{name} comes {} times: {self:?}", values.len());
        values.first().copied()
    }

    /// What stands in the element of this id.
    #[must_use]
    pub fn element(&self, id: &str) -> Option<&str> {
        let rest = self.text.split_once(&format!("id={id}>"))?.1;
        Some(rest.split_once('<')?.0)
    }

    /// The token of the page's forms.
    #[must_use]
    pub fn csrf_token(&self) -> Option<&str> {
        Some(self.text.split_once("name=_csrf value=\"")?.1.split_once('"')?.0)
    }
}
