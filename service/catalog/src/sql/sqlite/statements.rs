//! Statements on one connection.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use crate::CatalogError;
use crate::sql::{Arg, DatabaseError, Row, RowVisitor, Statement, Value};

/// Runs a statement and reads all rows of its answer.
pub(super) fn fetch<T>(
    connection: &Connection,
    statement: &Statement,
    mut read: impl FnMut(&Row<'_>) -> Result<T, CatalogError>,
) -> Result<Vec<T>, CatalogError> {
    let mut prepared = prepare(connection, statement)?;
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}

/// Runs a statement until the visitor has seen enough of its rows.
pub(super) fn visit<V: RowVisitor>(
    connection: &Connection,
    statement: &Statement,
    mut visitor: V,
) -> Result<V, CatalogError> {
    let mut prepared = prepare(connection, statement)?;
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        if visitor.visit(&Row::Sqlite(row))?.is_break() {
            break;
        }
    }
    Ok(visitor)
}

/// Runs a statement, and answers how many rows it changed.
pub(super) fn execute(
    connection: &Connection,
    statement: &Statement,
) -> Result<u64, DatabaseError> {
    let mut prepared = prepare(connection, statement)?;
    let mut rows = prepared.raw_query();
    // One that returns rows is complete after the last of them.
    while rows.next()?.is_some() {}
    Ok(connection.changes())
}

fn prepare<'c>(
    connection: &'c Connection,
    statement: &Statement,
) -> Result<rusqlite::CachedStatement<'c>, DatabaseError> {
    let mut prepared = connection.prepare_cached(statement.sql())?;
    for position in 1..=prepared.parameter_count() {
        // `$2` is a name to SQLite, which numbers names in the order in which they occur. `?` has none.
        let number = match prepared.parameter_name(position) {
            Some(name) => numbered(name)?,
            None => position,
        };
        let arg = number
            .checked_sub(1)
            .and_then(|number| statement.args().get(number));
        match arg {
            Some(Arg::One(value)) => prepared.raw_bind_parameter(position, value)?,
            Some(Arg::Ints(_) | Arg::Texts(_) | Arg::Blobs(_) | Arg::Mixed) => {
                return Err(DatabaseError::Argument("SQLite has no array arguments"));
            }
            None => return Err(DatabaseError::Argument("a statement lacks an argument")),
        }
    }
    Ok(prepared)
}

fn numbered(name: &str) -> Result<usize, DatabaseError> {
    let number = name
        .strip_prefix('$')
        .and_then(|number| number.parse().ok());
    number.ok_or(DatabaseError::Argument("a placeholder has no number"))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Int(value) => value.map(ValueRef::Integer),
            Self::Text(value) => value.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Bytes(value) => value.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(connection: &Connection, statement: &Statement) -> Vec<Vec<i64>> {
        let columns = connection.prepare(statement.sql()).unwrap().column_count();
        let read = |row: &Row<'_>| {
            let values = (0..columns).map(|column| Ok(row.int(column)?));
            values.collect::<Result<Vec<_>, CatalogError>>()
        };
        fetch(connection, statement, read).unwrap()
    }

    #[test]
    fn placeholders_stand_for_arguments_by_number() {
        let connection = Connection::open_in_memory().unwrap();
        let by_number = Statement::new("SELECT $3, $1, $2, $1")
            .bind(1)
            .bind(2)
            .bind(3);
        assert_eq!(ints(&connection, &by_number), [[3, 1, 2, 1]]);
        let in_order = Statement::new("VALUES (?,?),(?,?)")
            .bind(1)
            .bind(2)
            .bind(3)
            .bind(4);
        assert_eq!(ints(&connection, &in_order), [[1, 2], [3, 4]]);
        let short = Statement::new("SELECT $1, $2").bind(1);
        let answer = fetch(&connection, &short, |row| Ok(row.int(0)?));
        assert!(answer.is_err());
    }

    #[test]
    fn values_come_back_as_they_were() {
        let connection = Connection::open_in_memory().unwrap();
        let values = [
            Value::from("text"),
            Value::from(""),
            Value::from(vec![0_u8, 255]),
            Value::from(Vec::new()),
            Value::Int(None),
            Value::Text(None),
            Value::Bytes(None),
        ];
        let sql = "SELECT $1, $2, $3, $4, $5 IS NULL AND $6 IS NULL AND $7 IS NULL";
        let statement = Statement::new(sql).bind_all(values.map(Arg::One));
        let read = |row: &Row<'_>| {
            Ok((
                row.text(0)?,
                row.text(1)?,
                row.bytes(2)?,
                row.bytes(3)?,
                row.int(4)?,
            ))
        };
        let found = fetch(&connection, &statement, read).unwrap();
        assert_eq!(
            found,
            [("text".into(), String::new(), vec![0, 255], Vec::new(), 1)]
        );
    }

    #[test]
    fn a_statement_that_returns_rows_is_run_to_its_end() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        let insert = Statement::new("INSERT INTO t VALUES (1), (2), (3) RETURNING a");
        assert_eq!(execute(&connection, &insert).unwrap(), 3);
        assert_eq!(
            ints(&connection, &Statement::new("SELECT COUNT(*) FROM t")),
            [[3]]
        );
    }
}
