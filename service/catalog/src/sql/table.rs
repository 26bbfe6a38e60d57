use super::texts::{Ingredients, text};
use super::{Dialect, Row, Value};
use crate::CatalogError;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A table as the writer and the readers see it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// All columns, the key first.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// How many of the first columns are the key: the primary key, or that of another unique index.
    pub(crate) key: usize,
}

impl Table {
    /// The columns with a table alias before each, as a `SELECT` wants them.
    pub(crate) fn select_list(&self, alias: &str) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| format!("{alias}.{name}"))
            .collect();
        columns.join(", ")
    }

    /// `SELECT o.a, o.b FROM`, made once.
    pub(crate) fn select_from(&self) -> &'static str {
        // Both engines read alike.
        let ingredients = Ingredients::new(Dialect::Sqlite, 0, ["SELECT", self.name, ""]);
        text(ingredients, || {
            format!("SELECT {} FROM", self.select_list("o"))
        })
    }

    pub(crate) fn key_columns(&self) -> &'static [(&'static str, Kind)] {
        self.columns.get(..self.key).unwrap_or(self.columns)
    }

    pub(crate) fn other_columns(&self) -> &'static [(&'static str, Kind)] {
        self.columns.get(self.key..).unwrap_or_default()
    }
}

/// A value that is read from some columns of a row.
pub(crate) trait Excerpt: Sized {
    const COLUMNS: &'static [&'static str];

    /// Reads a row that was selected with [`Excerpt::select_list`] as its first columns.
    fn read(row: &Row<'_>) -> Result<Self, CatalogError>;

    /// The columns with a table alias before each, as a `SELECT` wants them.
    fn select_list(alias: &str) -> String {
        let columns = Self::COLUMNS.iter().map(|name| format!("{alias}.{name}"));
        columns.collect::<Vec<_>>().join(", ")
    }
}

/// A value that is stored as a row of a table. See [`record`](super::record).
pub(crate) trait Record: Sized {
    const TABLE: Table;

    /// The values of all columns, in order.
    fn values(&self) -> Vec<Value>;

    /// Reads a row that was selected with [`Table::select_list`] as its first columns.
    fn read(row: &Row<'_>) -> Result<Self, CatalogError> {
        Self::read_from(row, 0)
    }

    /// Reads a row in which the columns of [`Table::select_list`] begin at `first`.
    fn read_from(row: &Row<'_>, first: usize) -> Result<Self, CatalogError>;
}
