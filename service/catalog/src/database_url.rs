use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use zeroize::Zeroizing;

/// The location of the catalog: the value of `--database-url`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A directory that this process has for itself.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database. It may hold a password, so `Debug` omits it, and it is wiped when dropped.
    Postgres(Zeroizing<String>),
}

/// A text that is not a database URL. The text is not kept, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither sqlite:DIRECTORY nor postgres://USER:PASSWORD@HOST/DATABASE")]
pub struct DatabaseUrlError;

impl DatabaseUrl {
    /// The catalog's file in its directory.
    pub(super) const FILE: &str = "catalog.sqlite";

    /// Whether a catalog exists there, as far as is known without opening it: opening creates one.
    #[must_use]
    pub fn may_hold_a_catalog(&self) -> bool {
        match self {
            Self::Sqlite(directory) => directory.join(Self::FILE).is_file(),
            Self::Postgres(_) => true,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    /// Parses `sqlite:DIRECTORY` (also `sqlite://DIRECTORY`) and `postgres://…` (also `postgresql://…`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned().into()));
        }
        let directory = text.strip_prefix("sqlite:").ok_or(DatabaseUrlError)?;
        let directory = directory.strip_prefix("//").unwrap_or(directory);
        if directory.is_empty() {
            Err(DatabaseUrlError)
        } else {
            Ok(Self::Sqlite(directory.into()))
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(directory) => f.debug_tuple("Sqlite").field(directory).finish(),
            Self::Postgres(_) => f.write_str("Postgres(***)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
        text.parse()
    }

    #[test]
    fn both_engines() {
        for text in ["sqlite:/var/x", "sqlite:///var/x"] {
            assert_eq!(parse(text), Ok(DatabaseUrl::Sqlite("/var/x".into())));
        }
        for text in ["postgres://u:p@h/d", "postgresql://h/d"] {
            assert!(matches!(parse(text), Ok(DatabaseUrl::Postgres(url)) if url.as_str() == text));
        }
        for text in ["mysql://h", "sqlite:", "sqlite://", "", "/var/x"] {
            assert_eq!(parse(text), Err(DatabaseUrlError), "{text}");
        }
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let shown = format!("{:?}", parse("postgres://u:hunter2@h/d").unwrap());
        assert_eq!(shown, "Postgres(***)");
        let refused = parse("mysql://u:hunter2@h/d").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    }
}
