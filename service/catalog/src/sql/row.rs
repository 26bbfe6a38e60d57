use std::ops::ControlFlow;

use rusqlite::types::{FromSqlError, ValueRef};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::DatabaseError;
use crate::CatalogError;

/// A row of an answer, borrowed from the statement that reads it; columns are read by position.
#[derive(Clone, Copy)]
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// Takes the rows of an answer one after the other, until it has seen enough.
pub(crate) trait RowVisitor {
    fn visit(&mut self, row: &Row<'_>) -> Result<ControlFlow<()>, CatalogError>;
}

/// A value of another type is an error, never NULL.
macro_rules! getter {
    ($name:ident, $opt:ident, $ty:ty, $read:ident) => {
        pub(crate) fn $name(&self, column: usize) -> Result<$ty, DatabaseError> {
            match self {
                Self::Sqlite(row) => {
                    let value = row.get_ref(column)?;
                    value
                        .$read()
                        .map_err(|error| mismatch(column, value, error))
                }
                Self::Postgres(row) => Ok(row.try_get(column)?),
            }
        }

        pub(crate) fn $opt(&self, column: usize) -> Result<Option<$ty>, DatabaseError> {
            match self {
                Self::Sqlite(row) => match row.get_ref(column)? {
                    ValueRef::Null => Ok(None),
                    value => {
                        let read = value.$read();
                        read.map(Some)
                            .map_err(|error| mismatch(column, value, error))
                    }
                },
                Self::Postgres(row) => Ok(row.try_get(column)?),
            }
        }
    };
}

impl<'r> Row<'r> {
    getter!(int, opt_int, i64, as_i64);
    getter!(str, opt_str, &'r str, as_str);
    getter!(slice, opt_slice, &'r [u8], as_blob);

    pub(crate) fn text(&self, column: usize) -> Result<String, DatabaseError> {
        self.str(column).map(str::to_owned)
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, DatabaseError> {
        let text = self.opt_str(column)?;
        Ok(text.map(str::to_owned))
    }

    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>, DatabaseError> {
        self.slice(column).map(<[u8]>::to_vec)
    }

    pub(crate) fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        let bytes = self.opt_slice(column)?;
        Ok(bytes.map(<[u8]>::to_vec))
    }
}

fn mismatch(column: usize, value: ValueRef<'_>, error: FromSqlError) -> DatabaseError {
    let kind = value.data_type();
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_an_error_and_not_null() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let sql = "SELECT 1, 'text', x'00ff', NULL, 1.5, CAST(x'ff' AS TEXT)";
        let mut statement = connection.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let row = Row::Sqlite(rows.next().unwrap().unwrap());
        let ints: Vec<bool> = (0..6).map(|column| row.opt_int(column).is_ok()).collect();
        assert_eq!(ints, [true, false, false, true, false, false]);
        let texts: Vec<bool> = (0..6).map(|column| row.opt_str(column).is_ok()).collect();
        assert_eq!(texts, [false, true, false, true, false, false]);
        let bytes: Vec<bool> = (0..6).map(|column| row.opt_bytes(column).is_ok()).collect();
        assert_eq!(bytes, [false, false, true, true, false, false]);
        assert!(row.int(3).is_err() && row.text(3).is_err() && row.bytes(3).is_err());
        assert!(row.int(6).is_err());
    }
}
