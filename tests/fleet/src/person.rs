use crate::site::{Page, Site};

/// Somebody with a browser, who knows what the shop has to know of him.
#[derive(Debug)]
pub struct Person {
    site: Site,
    name: String,
    visits: u32,
    items: u32,
}

impl Person {
    /// Comes to the shop on this port and logs in.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn log_in(name: &str, port: u16) -> Result<Self, String> {
        let mut person = Self { site: Site::new(port), name: name.to_owned(), visits: 0, items: 0 };
        person.log_in_again()?;
        Ok(person)
    }

    /// Logs in with the browser of before.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn log_in_again(&mut self) -> Result<(), String> {
        (self.visits, self.items) = (1, 0);
        let form = self.site.open("/login")?;
        let home = self.site.send(&form, "/login", &[("name", &self.name)])?;
        self.expect_notice(&home, "You are logged in.")?;
        self.expect_self(&home)?;
        self.expect_number(&home, "visits", self.visits)
    }

    /// Opens the home page, which counts how often it was.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn open_home(&mut self) -> Result<Page, String> {
        let home = self.site.open("/")?;
        self.expect_self(&home)?;
        self.visits += 1;
        self.expect_number(&home, "visits", self.visits)?;
        Ok(home)
    }

    /// Opens the profile, which only reads the session.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn open_profile(&self) -> Result<Page, String> {
        let profile = self.site.open("/profile")?;
        self.expect_self(&profile)?;
        self.expect_number(&profile, "visits", self.visits)?;
        Ok(profile)
    }

    /// Puts one article into the cart, or empties it when there are two, so that the session fits its cookie.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn shop(&mut self) -> Result<Page, String> {
        let cart = self.site.open("/cart")?;
        self.expect_self(&cart)?;
        self.expect_number(&cart, "items", self.items)?;
        let path = if self.items < 2 { "/cart/add" } else { "/cart/empty" };
        let cart = self.site.send(&cart, path, &[])?;
        self.items = if self.items < 2 { self.items + 1 } else { 0 };
        self.expect_self(&cart)?;
        self.expect_number(&cart, "items", self.items)?;
        if cart.notice().is_none() { Err(self.problem(&cart, "no message about the cart")) } else { Ok(cart) }
    }

    /// Logs out.
    ///
    /// # Errors
    ///
    /// Says what was not as it should be.
    pub fn log_out(&mut self) -> Result<(), String> {
        let home = self.open_home()?;
        let home = self.site.send(&home, "/logout", &[])?;
        self.expect_notice(&home, "You are logged out.")?;
        if home.user().is_some() { Err(self.problem(&home, "still logged in")) } else { Ok(()) }
    }

    /// The browser.
    #[must_use]
    pub const fn site(&self) -> &Site {
        &self.site
    }

    fn expect_self(&self, page: &Page) -> Result<(), String> {
        if page.user() == Some(&self.name) {
            Ok(())
        } else {
            Err(self.problem(page, &format!("seen as {:?}", page.user())))
        }
    }

    fn expect_notice(&self, page: &Page, expected: &str) -> Result<(), String> {
        let found = page.notice();
        if found == Some(expected) { Ok(()) } else { Err(self.problem(page, &format!("the message {found:?}"))) }
    }

    fn expect_number(&self, page: &Page, id: &str, expected: u32) -> Result<(), String> {
        let found = page.number(id);
        if found == Some(expected) {
            Ok(())
        } else {
            Err(self.problem(page, &format!("{id} {found:?} and not {expected}")))
        }
    }

    fn problem(&self, page: &Page, problem: &str) -> String {
        format!("{}, by server {:?}, key {:?}: {problem}", self.name, page.served_by, self.site.key_id())
    }
}
