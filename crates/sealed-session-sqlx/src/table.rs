//! The table's name: the only text from outside that becomes part of a statement.

use crate::limits::TABLE_NAME_MAX_BYTES;
use sealed_session::ConfigError;

/// Marks that enclose a name in a statement.
#[derive(Clone, Copy)]
pub(crate) enum Quote {
    /// SQLite and PostgreSQL, as in the standard.
    Double,
    /// MySQL and MariaDB, in every SQL mode.
    Backtick,
}

impl Quote {
    fn around(self, name: &str) -> String {
        match self {
            Self::Double => format!("\"{name}\""),
            Self::Backtick => format!("`{name}`"),
        }
    }
}

/// A table's name, and the schema or database that it stands in when one was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableName {
    schema: Option<String>,
    name: String,
}

impl TableName {
    /// Security: letters, digits and underscores alone, so that no name can end its quotes and go on as SQL, whatever
    /// the engine and its mode.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        for part in schema.iter().chain([&name]) {
            check(part)?;
        }
        Ok(Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }

    /// The name in quotes, without the schema.
    pub(crate) fn name(&self, quote: Quote) -> String {
        quote.around(&self.name)
    }

    /// Name and schema, each in quotes.
    pub(crate) fn qualified(&self, quote: Quote) -> String {
        self.in_schema(quote, &self.name)
    }

    /// The name of the index on the expiry, without the schema.
    pub(crate) fn index(&self, quote: Quote) -> String {
        quote.around(&self.index_name())
    }

    /// The name and the schema of the index on the expiry.
    pub(crate) fn qualified_index(&self, quote: Quote) -> String {
        self.in_schema(quote, &self.index_name())
    }

    fn index_name(&self) -> String {
        format!("{}_expires_at", self.name)
    }

    fn in_schema(&self, quote: Quote, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote.around(schema), quote.around(name)),
            None => quote.around(name),
        }
    }
}

fn check(part: &str) -> Result<(), ConfigError> {
    let problem = |problem: String| Err(ConfigError::new("table", problem));
    if part.len() > TABLE_NAME_MAX_BYTES {
        return problem(format!("{} bytes, and a name has {TABLE_NAME_MAX_BYTES} at most", part.len()));
    }
    let starts_well = part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts_well && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    problem(format!(
        "{part:?} is no name of ASCII letters, digits and underscores that begins with no digit; one schema may stand \
         before it, as in `app.sessions`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_as_its_engine_quotes() {
        let table = TableName::parse("Sessions_2").unwrap();
        assert_eq!(table.qualified(Quote::Double), r#""Sessions_2""#);
        assert_eq!(table.qualified(Quote::Backtick), "`Sessions_2`");
    }

    #[test]
    fn a_schema_is_quoted_apart_from_the_name() {
        let table = TableName::parse("app.select").unwrap();
        assert_eq!(table.qualified(Quote::Double), r#""app"."select""#);
        assert_eq!(table.name(Quote::Double), r#""select""#);
        assert_eq!(table.qualified_index(Quote::Double), r#""app"."select_expires_at""#);
        assert_eq!(table.index(Quote::Backtick), "`select_expires_at`");
    }

    #[test]
    fn what_could_end_the_quotes_is_no_name() {
        let refused = [
            "", ".", "a.", ".a", "a.b.c", "1a", "a b", "a-b", "a\"", "a`", "a'", "a;drop", "a\0", "a\n", "ä", "a\\",
            "a?", "$1", "a/*", "[a]",
        ];
        for text in refused {
            let error = TableName::parse(text).unwrap_err();
            assert_eq!(error.setting(), "table", "{text:?}");
        }
    }

    #[test]
    fn the_index_of_the_longest_name_fits_every_engine() {
        let longest = "t".repeat(TABLE_NAME_MAX_BYTES);
        let table = TableName::parse(&format!("{longest}.{longest}")).unwrap();
        // PostgreSQL cuts names at 63 bytes without an error; MySQL refuses those over 64.
        assert!(table.index_name().len() <= 63);
        assert!(TableName::parse(&format!("{longest}t")).is_err());
        assert!(TableName::parse(&format!("{longest}t.a")).is_err());
    }
}
