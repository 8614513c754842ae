use std::hash::{BuildHasher as _, RandomState};

/// An engine that `tests/lib/engines.sh` starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Redis.
    Redis,
    /// PostgreSQL.
    Postgres,
    /// MariaDB, under the name of the protocol that it speaks.
    MySql,
    /// A program that speaks DynamoDB's protocol.
    DynamoDb,
    /// A program that speaks MongoDB's protocol.
    MongoDb,
}

impl Engine {
    /// Where the engine listens.
    ///
    /// # Panics
    ///
    /// When the environment does not say so: a test without its engine has failed.
    #[must_use]
    pub fn url(self) -> String {
        let (variable, name) = match self {
            Self::Redis => ("SEALED_REDIS_URL", "redis"),
            Self::Postgres => ("SEALED_POSTGRES_URL", "postgres"),
            Self::MySql => ("SEALED_MYSQL_URL", "mariadb"),
            Self::DynamoDb => ("SEALED_DYNAMODB_URL", "dynamodb"),
            Self::MongoDb => ("SEALED_MONGODB_URL", "mongodb"),
        };
        std::env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set: start the engine with `bash tests/lib/engines.sh run {name} -- cargo test --profile \
                 engines -p sealed-session-engine-tests`, or run all with `bash tests/run.sh engines`"
            )
        })
    }
}

/// The program that a test starts as a Redis of its own: `redis-server`, or what speaks its protocol and `SEALED_REDIS_SERVER`
/// names.
pub(crate) fn redis_server() -> String {
    std::env::var("SEALED_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// A name that nobody else has, in this run or in another on the same engine: `prefix_` and 16 hex digits, good for a
/// table, a key prefix or a collection.
#[must_use]
pub fn unique_name(prefix: &str) -> String {
    format!("{prefix}_{:016x}", RandomState::new().hash_one(0))
}
