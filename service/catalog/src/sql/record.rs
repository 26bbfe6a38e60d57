//! Tables declared by one list of columns, which generates the `SELECT` list and the code that writes and reads a row.

use super::{DatabaseError, Kind, Row, Value};

/// The Rust type of a column, owned or borrowed from the row. An `Option` may be NULL.
pub(crate) trait Column<'r>: Sized {
    const KIND: Kind;

    fn read(row: Row<'r>, position: usize) -> Result<Self, DatabaseError>;
}

/// A column type that can store a `T`.
pub(crate) trait Stores<T> {
    fn store(given: T) -> Value;
}

macro_rules! column {
    ($ty:ty, $kind:ident, $read:ident, $($given:ty),+) => {
        impl<'r> Column<'r> for $ty {
            const KIND: Kind = Kind::$kind;

            fn read(row: Row<'r>, position: usize) -> Result<Self, DatabaseError> {
                row.$read(position)
            }
        }

        $(impl<'r> Stores<$given> for $ty {
            fn store(given: $given) -> Value {
                given.into()
            }
        })+
    };
}

column!(i64, Int, int, i64);
column!(Option<i64>, Int, opt_int, Option<i64>);
column!(String, Text, text, String, &str);
column!(Option<String>, Text, opt_text, Option<String>);
column!(Vec<u8>, Bytes, bytes, Vec<u8>, &[u8]);
column!(Option<Vec<u8>>, Bytes, opt_bytes, Option<Vec<u8>>);
column!(&'r str, Text, str, String, &str);
column!(&'r [u8], Bytes, slice, Vec<u8>, &[u8]);
column!(Option<&'r [u8]>, Bytes, opt_slice, Option<Vec<u8>>);

/// Reads the columns of a row one after the other.
pub(crate) struct Columns<'r> {
    row: Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The columns of `row` from `first` on.
    pub(crate) const fn from(row: &Row<'r>, first: usize) -> Self {
        Self {
            row: *row,
            next: first,
        }
    }

    pub(crate) fn read<C: Column<'r>>(&mut self) -> Result<C, DatabaseError> {
        let position = self.next;
        self.next += 1;
        C::read(self.row, position)
    }
}

/// Declares a table: its columns, those of the key first, each with its type and the value that a row stores;
/// then the value that is read from columns of these names.
macro_rules! record {
    (
        $record:ty, table $table:literal, key $key:literal, stored from $row:ident {
            $($column:ident: $ty:ty = $value:expr,)+
        }
        read as $read:expr
    ) => {
        impl $crate::sql::Record for $record {
            const TABLE: $crate::sql::Table = $crate::sql::Table {
                name: $table,
                columns: &[
                    $((stringify!($column), <$ty as $crate::sql::Column>::KIND),)+
                ],
                key: $key,
            };

            fn values(&self) -> Vec<$crate::sql::Value> {
                let $row = self;
                vec![$(<$ty as $crate::sql::Stores<_>>::store($value),)+]
            }

            fn read_from(
                row: &$crate::sql::Row,
                first: usize,
            ) -> Result<Self, $crate::CatalogError> {
                let mut columns = $crate::sql::Columns::from(row, first);
                $(let $column: $ty = columns.read()?;)+
                Ok($read)
            }
        }
    };
}

/// Declares columns that several tables have, as [`record`] does those of one: a type with their list, the values that a row
/// stores, and the value that is read from them.
macro_rules! columns {
    (
        $columns:ident, stored from $row:ident: $stored:ty {
            $($column:ident: $ty:ty = $value:expr,)+
        }
        read as $result:ty = $read:expr
    ) => {
        struct $columns;

        impl $columns {
            const LIST: &'static [(&'static str, $crate::sql::Kind)] = &[
                $((stringify!($column), <$ty as $crate::sql::Column>::KIND),)+
            ];

            fn values($row: $stored) -> Vec<$crate::sql::Value> {
                vec![$(<$ty as $crate::sql::Stores<_>>::store($value),)+]
            }

            fn read_from(
                row: &$crate::sql::Row,
                first: usize,
            ) -> Result<$result, $crate::CatalogError> {
                let mut columns = $crate::sql::Columns::from(row, first);
                $(let $column: $ty = columns.read()?;)+
                Ok($read)
            }
        }
    };
}

/// Declares a value that a statement reads from some of a table's columns.
macro_rules! excerpt {
    ($excerpt:ty, of { $($column:ident: $ty:ty,)+ } read as $read:expr) => {
        impl $crate::sql::Excerpt for $excerpt {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column),)+];

            fn read(
                row: &$crate::sql::Row,
            ) -> Result<Self, $crate::CatalogError> {
                let mut columns = $crate::sql::Columns::from(row, 0);
                $(let $column: $ty = columns.read()?;)+
                Ok($read)
            }
        }
    };
}

pub(crate) use {columns, excerpt, record};
