//! PostgreSQL, with the durability that it is installed with.

use sealed_session_engine_tests::Engine;

use crate::site::Served;
use crate::sql::{clean_up, sql_kind};

pub(crate) struct Postgres;

sql_kind!(Postgres, Engine::Postgres.url(), clean_up);

impl Served for Postgres {
    const ENGINE: Engine = Engine::Postgres;
}
