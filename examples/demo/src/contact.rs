//! A form with rules: what is wrong comes back beside its field, and nothing has to be typed again.

use std::collections::BTreeMap;

use axum::Form;
use axum::response::Redirect;
use sealed_session::{Session, SessionError};
use serde::{Deserialize, Serialize};

use crate::pages::{Field, Page};
use crate::{Answer, see_other};

const LONGEST_NAME_CHARACTERS: usize = 64;
const SHORTEST_MESSAGE_CHARACTERS: usize = 10;
const LONGEST_MESSAGE_CHARACTERS: usize = 2000;

const FIELDS: [Field<'_>; 3] = [
    Field { name: "name", label: "Your name", attributes: "autocomplete=name", is_long: false },
    Field {
        name: "email",
        label: "Your e-mail address",
        attributes: "inputmode=email autocomplete=email",
        is_long: false,
    },
    Field { name: "message", label: "Your message", attributes: "", is_long: true },
];

#[derive(Serialize, Deserialize)]
pub(crate) struct Message {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    message: String,
}

impl Message {
    /// What is wrong, by field.
    fn errors(&self) -> BTreeMap<&'static str, String> {
        let characters = |text: &str| text.trim().chars().count();
        let mut errors = BTreeMap::new();
        if !(1..=LONGEST_NAME_CHARACTERS).contains(&characters(&self.name)) {
            errors.insert("name", format!("Give a name of 1 to {LONGEST_NAME_CHARACTERS} characters."));
        }
        // Only the mail that is sent there shows whether an address is good.
        let email = self.email.trim();
        if !email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()) {
            errors.insert("email", "Give an address like zoe@example.com.".to_owned());
        }
        if !(SHORTEST_MESSAGE_CHARACTERS..=LONGEST_MESSAGE_CHARACTERS).contains(&characters(&self.message)) {
            let text = format!("Write {SHORTEST_MESSAGE_CHARACTERS} to {LONGEST_MESSAGE_CHARACTERS} characters.");
            errors.insert("message", text);
        }
        errors
    }
}

pub(crate) async fn show(session: Session) -> Answer {
    let page = Page::new(&session, "Write to us")?;
    let problem = match session.all_errors().len() {
        0 => "",
        1 => "<p class=problem role=alert>One field needs another look.</p>",
        _ => "<p class=problem role=alert>Some fields need another look.</p>",
    };
    let fields = FIELDS.iter().map(|field| field.html(&session)).collect::<Result<String, _>>()?;
    let form = page.form("/contact", &format!("{fields}<button id=send>Send</button>"))?;
    page.html(&format!("{problem}{form}<p class=hint>All fields are needed. The demo throws your message away.</p>"))
}

pub(crate) async fn send(session: Session, Form(message): Form<Message>) -> Result<Redirect, SessionError> {
    let errors = message.errors();
    if errors.is_empty() {
        session.flash("notice", &format!("Thank you, {}. We have your message.", message.name.trim()))?;
    } else {
        session.flash_errors(&errors)?;
        session.flash_input(&message)?;
    }
    Ok(see_other("/contact"))
}
