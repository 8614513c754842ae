//! The statements that the driver says it has run, by the table that they name.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Statements of every test of this process, the newest last.
static STATEMENTS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Tests that run for long write more than anybody asks for.
const KEPT: usize = 10_000;

/// Begins to listen. The drivers' threads are not the test's, so that the subscriber is the process's.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
}

/// The statements on this table since this was asked last.
pub(crate) fn take(table: &str) -> Vec<String> {
    let mut statements = statements();
    let (of_table, others) = statements.drain(..).partition::<VecDeque<_>, _>(|statement| statement.contains(table));
    *statements = others;
    of_table.into()
}

fn statements() -> MutexGuard<'static, VecDeque<String>> {
    STATEMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement(String::new());
        event.record(&mut statement);
        let mut statements = statements();
        statements.push_back(statement.0.trim().to_owned());
        if statements.len() > KEPT {
            statements.pop_front();
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Statement(String);

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "db.statement" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
