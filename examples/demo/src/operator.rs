//! What the operator of the shop sees of its keys: which one seals, what each was used for by this process, and whether it
//! can be taken out of the ring.
//!
//! Ids and counts alone; nothing here opens or makes a session.

use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use sealed_session::operator::KeyReport;
use sealed_session::{RingHandle, SessionManager, Timestamp};
use serde::Serialize;

use crate::pages;

/// The operator's pages, for a port that strangers do not reach.
pub fn pages(manager: SessionManager, ring: RingHandle) -> Router {
    Router::new().route("/keys", get(page)).route("/keys.json", get(json)).with_state(Keys { manager, ring })
}

#[derive(Clone)]
struct Keys {
    manager: SessionManager,
    ring: RingHandle,
}

/// All that is told, in the names of [`KeyReport`].
#[derive(Serialize)]
struct Report {
    /// Why the keys could not be read again, if they could not.
    reload_problem: Option<String>,
    keys: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    suite: &'static str,
    state: &'static str,
    next_change: Option<String>,
    opened: u64,
    sealed: u64,
    refused: u64,
    last_opened: Option<String>,
    is_safe_to_remove: bool,
}

impl Keys {
    fn report(&self) -> Report {
        let keys = self.manager.key_reports().iter().map(Row::new).collect();
        Report { reload_problem: self.ring.reload_problem(), keys }
    }
}

impl Row {
    fn new(report: &KeyReport) -> Self {
        let KeyReport { status, opened, sealed, refused, last_opened, is_safe_to_remove, .. } = report;
        Self {
            id: status.key_id.to_string(),
            suite: status.suite.name(),
            state: status.state.as_str(),
            next_change: status.next_change.map(Timestamp::to_rfc3339),
            opened: *opened,
            sealed: *sealed,
            refused: refused.iter().map(|(_, count)| count).sum(),
            last_opened: last_opened.map(Timestamp::to_rfc3339),
            is_safe_to_remove: *is_safe_to_remove,
        }
    }

    fn html(&self) -> String {
        let Self { id, suite, state, opened, sealed, refused, .. } = self;
        let next_change = shown(self.next_change.as_deref());
        let last_opened = shown(self.last_opened.as_deref());
        let removable = if self.is_safe_to_remove { "yes" } else { "no" };
        format!(
            "<tr id=key-{id} class={state}><th scope=row><code>{id}</code> <span class=note>{suite}</span>\
             <td class=state>{state}<td class=removable>{removable}<td class=number>{opened}<td class=number>{sealed}\
             <td class=number>{refused}<td>{last_opened}<td>{next_change}"
        )
    }
}

/// An instant that a narrow column may break between the day and the hour.
fn shown(instant: Option<&str>) -> String {
    instant.map_or_else(
        || "never".to_owned(),
        |text| format!("<time datetime={text}>{}</time>", text.trim_end_matches('Z').replace('T', " ")),
    )
}

async fn json(State(keys): State<Keys>) -> Json<Report> {
    Json(keys.report())
}

async fn page(State(keys): State<Keys>) -> Html<String> {
    let Report { reload_problem, keys } = keys.report();
    let problem = reload_problem.map_or_else(String::new, |problem| {
        let problem = pages::escape(&problem);
        format!("<p class=problem role=alert id=problem>The keys before a change stay in force: {problem}</p>")
    });
    let rows: String = keys.iter().map(Row::html).collect();
    pages::without_session(
        "Keys",
        &format!(
            "{problem}<div class=wide><table><thead><tr><th scope=col>Key<th scope=col>State<th scope=col>Removable\
             <th scope=col class=number>Opened<th scope=col class=number>Sealed<th scope=col class=number>Refused\
             <th scope=col>Last opened<th scope=col>Next state<tbody>{rows}</table></div>\
             <p class=hint>Times are in UTC. Counted by this process since it started: before you remove a key, ask every server of the fleet. \
             <a href=/keys.json>The same for scripts</a>.</p>"
        ),
    )
}
