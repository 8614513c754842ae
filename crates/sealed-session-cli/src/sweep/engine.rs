//! The kinds of stores, and what this build can do with each.

use clap::ValueEnum;

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(super) enum Engine {
    File,
    Sqlite,
    Postgres,
    MySql,
    MongoDb,
    Redis,
    DynamoDb,
}

impl Engine {
    /// As `--store` names it, which is the name of its feature as well.
    pub(super) const fn value(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MongoDb => "mongodb",
            Self::Redis => "redis",
            Self::DynamoDb => "dynamodb",
        }
    }

    /// The name of an engine whose store leaves nothing to be swept.
    pub(super) const fn sweeps_itself(self) -> Option<&'static str> {
        match self {
            Self::Redis => Some("Redis"),
            Self::DynamoDb => Some("DynamoDB"),
            Self::File | Self::Sqlite | Self::Postgres | Self::MySql | Self::MongoDb => None,
        }
    }

    /// Refuses what this command was built without.
    pub(super) fn check_is_built(self) -> Result<(), Failure> {
        let is_built = match self {
            Self::Sqlite => cfg!(feature = "sqlite"),
            Self::Postgres => cfg!(feature = "postgres"),
            Self::MySql => cfg!(feature = "mysql"),
            Self::MongoDb => cfg!(feature = "mongodb"),
            Self::File | Self::Redis | Self::DynamoDb => true,
        };
        let feature = self.value();
        if is_built {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "this command was built without the feature `{feature}`; `cargo install --path crates/sealed-session-cli \
             --features {feature}`, in the repository's folder, builds it with that"
        )))
    }

    /// Refuses the URL of another engine, which it does not show. `place` says where it came from.
    pub(super) fn check_url(self, url: &str, place: &str) -> Result<(), Failure> {
        let schemes = self.schemes();
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        if schemes.contains(&scheme) {
            return Ok(());
        }
        let beginnings: Vec<_> = schemes.iter().map(|scheme| format!("`{scheme}:`")).collect();
        Err(Failure::Usage(format!(
            "{place} is no URL of this store (--store {}), which begins with {}",
            self.value(),
            beginnings.join(" or ")
        )))
    }

    const fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["sqlite"],
            Self::Postgres => &["postgres", "postgresql"],
            Self::MySql => &["mysql", "mariadb"],
            Self::MongoDb => &["mongodb"],
            Self::File | Self::Redis | Self::DynamoDb => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_has_the_name_by_which_it_is_chosen() {
        for engine in Engine::value_variants() {
            assert_eq!(Engine::from_str(engine.value(), false).as_ref(), Ok(engine));
        }
    }

    #[test]
    fn a_url_of_another_engine_is_refused_and_not_shown() {
        let url = "mysql://app:secret@db/app";
        assert!(Engine::MySql.check_url(url, "the variable A").is_ok());
        for other in [url, "postgres", "", "secret", ":secret"] {
            let Err(Failure::Usage(problem)) = Engine::Postgres.check_url(other, "the variable A") else {
                panic!("{other} was taken");
            };
            assert!(problem.contains("`postgres:`") && problem.contains("the variable A"), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
