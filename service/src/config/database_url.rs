use std::fmt;
use std::path::PathBuf;

use super::{ConfigError, Secret};

/// Where the catalog is.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A directory that this process has for itself.
    Sqlite(PathBuf),
    /// A Postgres URL. It may hold a password: never shown.
    Postgres(Secret),
}

impl DatabaseUrl {
    /// Reads `sqlite:DIRECTORY` (also `sqlite://DIRECTORY`) and `postgres://…` (also `postgresql://…`).
    ///
    /// # Errors
    /// [`ConfigError::DatabaseUrl`] for any other text, which is not repeated, for it may hold a password.
    pub fn parse(text: &Secret) -> Result<Self, ConfigError> {
        let url = text.expose();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.clone()));
        }
        let directory = url
            .strip_prefix("sqlite:")
            .ok_or(ConfigError::DatabaseUrl)?;
        let directory = directory.strip_prefix("//").unwrap_or(directory);
        if directory.is_empty() {
            Err(ConfigError::DatabaseUrl)
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

    fn parse(text: &str) -> Result<DatabaseUrl, ConfigError> {
        DatabaseUrl::parse(&Secret::new(text.into()))
    }

    #[test]
    fn both_engines() {
        for text in ["sqlite:/var/x", "sqlite:///var/x"] {
            assert!(matches!(parse(text), Ok(DatabaseUrl::Sqlite(path)) if path == *"/var/x"));
        }
        for text in ["postgres://u:p@h/d", "postgresql://h/d"] {
            assert!(matches!(parse(text), Ok(DatabaseUrl::Postgres(url)) if url.expose() == text));
        }
        for text in ["mysql://h", "sqlite:", "sqlite://", "", "/var/x"] {
            assert!(
                matches!(parse(text), Err(ConfigError::DatabaseUrl)),
                "{text}"
            );
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
