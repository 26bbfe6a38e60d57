use std::path::PathBuf;
use std::str::FromStr;

use super::CatalogError;

/// Where the catalog is.
#[derive(Clone, PartialEq, Eq)]
pub enum CatalogUrl {
    /// A directory that this process has for itself.
    Sqlite(PathBuf),
    /// A Postgres URL. It may hold a password: never shown.
    Postgres(String),
}

impl CatalogUrl {
    /// The catalog's file in its directory.
    pub(super) const FILE: &str = "catalog.sqlite";

    /// Whether a catalog has been made there, as far as that is known without opening it: opening makes one.
    #[must_use]
    pub fn may_hold_a_catalog(&self) -> bool {
        match self {
            Self::Sqlite(directory) => directory.join(Self::FILE).is_file(),
            Self::Postgres(_) => true,
        }
    }
}

impl FromStr for CatalogUrl {
    type Err = CatalogError;

    /// Reads `sqlite:DIRECTORY` (also `sqlite://DIRECTORY`) and `postgres://…` (also `postgresql://…`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let directory = text.strip_prefix("sqlite:").ok_or(CatalogError::Url)?;
        let directory = directory.strip_prefix("//").unwrap_or(directory);
        if directory.is_empty() {
            Err(CatalogError::Url)
        } else {
            Ok(Self::Sqlite(directory.into()))
        }
    }
}

impl std::fmt::Debug for CatalogUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(directory) => f.debug_tuple("Sqlite").field(directory).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines() {
        let sqlite = |text: &str| matches!(text.parse(), Ok(CatalogUrl::Sqlite(path)) if path.as_os_str() == "/var/x");
        assert!(sqlite("sqlite:/var/x") && sqlite("sqlite:///var/x"));
        assert!(matches!(
            "postgres://u:p@h/d".parse(),
            Ok(CatalogUrl::Postgres(_))
        ));
        assert!(
            "mysql://h".parse::<CatalogUrl>().is_err() && "sqlite:".parse::<CatalogUrl>().is_err()
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!(
            "{:?}",
            CatalogUrl::Postgres("postgres://u:hunter2@h/d".into())
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
