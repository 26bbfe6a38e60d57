use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row of an answer; columns are read by position.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! getter {
    ($name:ident, $opt:ident, $ty:ty) => {
        pub(crate) fn $name(&self, column: usize) -> Result<$ty, sqlx::Error> {
            match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Postgres(row) => row.try_get(column),
            }
        }

        pub(crate) fn $opt(&self, column: usize) -> Result<Option<$ty>, sqlx::Error> {
            match self {
                Self::Sqlite(row) => row.try_get(column),
                Self::Postgres(row) => row.try_get(column),
            }
        }
    };
}

impl Row {
    getter!(int, opt_int, i64);
    getter!(text, opt_text, String);
    getter!(bytes, opt_bytes, Vec<u8>);
}
