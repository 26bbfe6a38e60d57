use super::{Row, Statement};
use crate::CatalogError;

/// A statement that reads rows, and what they become.
pub(crate) struct Select<T> {
    pub(crate) statement: Statement,
    /// How many columns its rows have. The first is an integer and never NULL.
    pub(crate) columns: usize,
    pub(crate) read: ReadAt<T>,
}

/// Reads a row in which the columns of a statement begin at a position.
pub(crate) type ReadAt<T> = fn(&Row<'_>, usize) -> Result<T, CatalogError>;

/// Separates statements from their row readers. [`Statement::side_by_side`] combines the statements.
pub(super) fn split<T>(selects: Vec<Select<T>>) -> (Vec<Statement>, RowReaders<T>) {
    let mut statements = Vec::with_capacity(selects.len());
    let mut readers = Vec::with_capacity(selects.len());
    let mut first = 0;
    for select in selects {
        statements.push(select.statement);
        readers.push((first, select.read));
        first += select.columns;
    }
    (statements, RowReaders(readers))
}

/// Row readers of a combined statement, each with its first column.
pub(super) struct RowReaders<T>(Vec<(usize, ReadAt<T>)>);

impl<T> RowReaders<T> {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<T, CatalogError> {
        for (first, read) in &self.0 {
            if row.opt_int(*first)?.is_some() {
                return read(row, *first);
            }
        }
        Err(CatalogError::Corrupt("a row of no statement"))
    }
}
