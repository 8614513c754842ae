use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::cookies::Cookie;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use sealed_session_test_programs::{Server, scratch};
use serde_json::{Map, Value, json};
use url::Url;

const LIMIT: Duration = Duration::from_secs(30);

const IS_ANOTHER_DOCUMENT: &str = "!window.isBeforeTheAnswer";

/// A headless browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    name: String,
    driver: Server,
    profile: PathBuf,
}

impl Browser {
    /// Starts a driver and a browser. `name` is of this test alone.
    pub async fn start(name: &str) -> Self {
        let driver = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let driver = Server::start_on_a_port_it_may_lose(
            Command::new(driver).arg("--port=0"),
            &["started successfully on port "],
            "port not available",
        );
        let profile = scratch(name).join("profile");
        let client = connect(&driver, &profile).await;
        Self { client, name: name.to_owned(), driver, profile }
    }

    /// Ends the browser and starts it again with its profile, which keeps what has an end of its own, and no tabs.
    pub async fn restart(self) -> Self {
        let Self { client, name, driver, profile } = self;
        client.close().await.unwrap();
        Self { client: connect(&driver, &profile).await, name, driver, profile }
    }

    /// Ends the browser and removes its profile.
    pub async fn end(self) {
        self.client.close().await.unwrap();
        let _ = std::fs::remove_dir_all(&self.profile);
    }

    /// Opens a page.
    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Loads the page again until an element of it is there.
    pub async fn reload_until(&self, selector: &str) {
        while self.text(selector).await.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            self.reload().await;
        }
    }

    /// Opens a page that leads to another origin by itself, waits for the page of this path there, and gives the
    /// status that it came with.
    pub async fn open_and_follow(&self, address: &str, path: &str) -> Value {
        self.mark().await;
        self.open(address).await;
        let followed = format!("!location.href.startsWith('{address}') && location.pathname === '{path}'");
        self.wait_until(&format!("{IS_ANOTHER_DOCUMENT} && {followed}")).await;
        self.script("return performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// Clicks on a button that sends a form, and waits for the page that answers.
    pub async fn send(&self, button: &str) {
        self.mark().await;
        self.click(button).await;
        self.wait_until(IS_ANOTHER_DOCUMENT).await;
    }

    /// Types into a field.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// Clicks on what leads to no other page.
    pub async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Empties a field.
    pub async fn empty(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().clear().await.unwrap();
    }

    /// What stands in a field.
    pub async fn value(&self, selector: &str) -> String {
        self.client.find(Locator::Css(selector)).await.unwrap().prop("value").await.unwrap().unwrap_or_default()
    }

    /// The text of an element, `None` when there is none.
    pub async fn text(&self, selector: &str) -> Option<String> {
        let found = self.client.find_all(Locator::Css(selector)).await.unwrap();
        match found.first() {
            Some(element) => Some(element.text().await.unwrap()),
            None => None,
        }
    }

    /// An attribute of an element.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.client.find(Locator::Css(selector)).await.unwrap().attr(name).await.unwrap()
    }

    /// The path of the page that is open.
    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    /// What a script of the page gives.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What a script of the page passes to `done`, its last word.
    pub async fn background(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        self.client.execute_async(&script, Vec::new()).await.unwrap()
    }

    /// The session cookie, as the browser keeps it.
    pub async fn session_cookie(&self) -> Option<Cookie<'static>> {
        let cookies = self.client.get_all_cookies().await.unwrap();
        cookies.into_iter().find(|cookie| cookie.name() == "__Host-session")
    }

    /// Puts another value into the session cookie, as the browser's tools can.
    pub async fn edit_session_cookie(&self, edit: impl FnOnce(&str) -> String) {
        let cookie = self.session_cookie().await.expect("there is a session cookie");
        let edited = edit(cookie.value());
        assert_ne!(edited, cookie.value(), "the edit changes the cookie");
        let address = self.client.current_url().await.unwrap();
        let parameters = json!({
            "name": cookie.name(),
            "value": edited,
            "url": address.as_str(),
            "path": "/",
            "secure": true,
            "httpOnly": true,
            "sameSite": "Lax",
        });
        let command = DevTools { command: "Network.setCookie", parameters };
        assert_eq!(self.client.issue_cmd(command).await.unwrap()["success"], true);
        assert_eq!(self.session_cookie().await.unwrap().value(), edited);
    }

    /// Marks the document that is open: the one that comes next has no mark.
    async fn mark(&self) {
        self.script("window.isBeforeTheAnswer = true").await;
    }

    /// Waits for a complete page of which a condition holds, half a minute at most.
    async fn wait_until(&self, condition: &str) {
        // Between two pages a browser can show an empty one of its own, which is complete and came from nowhere.
        let script = format!(
            "const there = location.protocol === 'http:' && document.readyState === 'complete' && ({condition});
             return there || `${{location.href}}, ${{document.readyState}}: ${{document.body?.innerText}}`;"
        );
        let mut seen = String::new();
        let waited = tokio::time::timeout(LIMIT, async {
            // A script that the change of pages cuts off is an error, and no answer.
            loop {
                let answer = self.client.execute(&script, Vec::new()).await;
                if matches!(answer, Ok(Value::Bool(true))) {
                    return;
                }
                seen = format!("{answer:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(waited.await.is_ok(), "`{condition}` does not come to hold; there is {seen}");
    }

    /// Keeps a picture of the page under `SCREENSHOTS`, where that is set, and sees that the page is not blank.
    pub async fn picture(&self, page: &str) {
        // No rule is about the taking of pictures: tried again where the browser refuses it.
        let taken = tokio::time::timeout(LIMIT, async {
            loop {
                if let Ok(picture) = self.client.screenshot().await {
                    return picture;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let picture = taken.await.expect("the browser takes a picture");
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5_000, "{page}: {} bytes", picture.len());
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(PathBuf::from(folder).join(format!("{}-{page}.png", self.name)), picture).unwrap();
        }
    }
}

/// A command of the browser's own tools. WebDriver's own call for cookies always names a domain, which a `__Host-`
/// cookie must not have.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.command, "params": self.parameters }).to_string()))
    }
}

async fn connect(driver: &Server, profile: &Path) -> Client {
    ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(profile))
        .connect(&format!("http://127.0.0.1:{}", driver.port(0)))
        .await
        .expect("the browser starts; `bash tests/run.sh browser` installs it")
}

fn capabilities(profile: &Path) -> Map<String, Value> {
    let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let options = json!({
        "binary": browser,
        "args": [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1100,850",
            format!("--user-data-dir={}", profile.display()),
        ],
    });
    Map::from_iter([("goog:chromeOptions".to_owned(), options)])
}
