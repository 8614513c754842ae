//! MariaDB, with the durability that it is installed with.

use sealed_session_engine_tests::Engine;

use crate::site::Served;
use crate::sql::{clean_up, sql_kind};

pub(crate) struct MySql;

sql_kind!(MySql, Engine::MySql.url(), clean_up);

impl Served for MySql {
    const ENGINE: Engine = Engine::MySql;
}
