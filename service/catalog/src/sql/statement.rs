use std::borrow::Cow;
use std::sync::Arc;

use sqlx::SqlSafeStr as _;
use sqlx::SqlStr;

/// A typed value of a column; `None` is NULL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(portable(value)))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(portable(value.to_owned())))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value.map(portable))
    }
}

/// Postgres takes no NUL in a text, and would refuse the neighbours in the batch with it. Keys are bytes and JSON escapes
/// it, so only names and descriptions can be meant.
fn portable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}

/// An argument of a statement: a value, or on Postgres a whole column of them.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    One(Value),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Blobs(Vec<Option<Vec<u8>>>),
    /// Values of several types, or of a type other than the column's: an error.
    Mixed,
}

/// SQL text and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: Cow<'static, str>,
    args: Vec<Arg>,
}

impl Statement {
    /// A statement of fixed text.
    pub(crate) const fn new(sql: &'static str) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            args: Vec::new(),
        }
    }

    /// A statement whose text was put together from constants and placeholders, never from data.
    pub(crate) const fn built(sql: String) -> Self {
        Self {
            sql: Cow::Owned(sql),
            args: Vec::new(),
        }
    }

    /// Adds the next argument.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.args.push(Arg::One(value.into()));
        self
    }

    /// Adds the next arguments.
    pub(crate) fn bind_all(mut self, args: impl IntoIterator<Item = Arg>) -> Self {
        self.args.extend(args);
        self
    }

    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    pub(super) fn args(&self) -> &[Arg] {
        &self.args
    }

    /// Statements that touch different rows as one, which Postgres runs with one round trip. `None` if there are none.
    pub(super) fn at_once(statements: Vec<Self>) -> Option<Self> {
        if statements.len() < 2 {
            return statements.into_iter().next();
        }
        let (steps, args) = steps(statements);
        Some(Self {
            sql: Cow::Owned(format!("WITH {steps} SELECT 1")),
            args,
        })
    }

    /// Statements that read as one, which Postgres runs with one round trip. Rows have the columns
    /// of all statements, in order. Each row comes from one statement; the columns of the others are NULL. `None` if there are
    /// no statements.
    pub(super) fn side_by_side(statements: Vec<Self>) -> Option<Self> {
        if statements.len() < 2 {
            return statements.into_iter().next();
        }
        let columns: Vec<String> = (0..statements.len())
            .map(|step| format!("s{step}.*"))
            .collect();
        let others: String = (1..statements.len())
            .map(|step| format!(" FULL JOIN s{step} ON false"))
            .collect();
        let (steps, args) = steps(statements);
        let columns = columns.join(", ");
        Some(Self {
            sql: Cow::Owned(format!("WITH {steps} SELECT {columns} FROM s0{others}")),
            args,
        })
    }

    /// Returns the plan of the statement instead of its rows. `explain` is the engine's command.
    #[cfg(test)]
    pub(crate) fn explained(self, explain: &str) -> Self {
        Self {
            sql: Cow::Owned(format!("{explain} {}", self.sql)),
            ..self
        }
    }

    pub(super) fn into_parts(self) -> (SqlStr, Vec<Arg>) {
        let sql = match self.sql {
            Cow::Borrowed(text) => text.into_sql_str(),
            Cow::Owned(text) => sqlx::AssertSqlSafe(Arc::<str>::from(text)).into_sql_str(),
        };
        (sql, self.args)
    }
}

/// `s0 AS (…), s1 AS (…)`, and the arguments of all.
fn steps(statements: Vec<Statement>) -> (String, Vec<Arg>) {
    let mut args = Vec::new();
    let mut steps = Vec::with_capacity(statements.len());
    for (step, statement) in statements.into_iter().enumerate() {
        let sql = renumbered(&statement.sql, args.len());
        steps.push(format!("s{step} AS ({sql})"));
        args.extend(statement.args);
    }
    (steps.join(", "), args)
}

/// The text with every `$n` raised.
fn renumbered(sql: &str, by: usize) -> String {
    let mut pieces = sql.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number: usize = number.parse().unwrap_or_default();
        text.push('$');
        text.push_str(&(number + by).to_string());
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_statements_keep_their_arguments() {
        let first = Statement::new("INSERT INTO a SELECT $1, $2")
            .bind(1)
            .bind(2);
        let second = Statement::new("DELETE FROM b WHERE c = $1").bind(3);
        let joined = Statement::at_once(vec![first, second]);
        let expected =
            "WITH s0 AS (INSERT INTO a SELECT $1, $2), s1 AS (DELETE FROM b WHERE c = $3) SELECT 1";
        assert!(joined.is_some_and(|joined| joined.sql == expected && joined.args.len() == 3));
        assert!(Statement::at_once(Vec::new()).is_none());
    }

    #[test]
    fn statements_that_read_side_by_side_keep_their_arguments() {
        let first = Statement::new("SELECT a FROM b WHERE a = $1").bind(1);
        let second = Statement::new("SELECT c FROM d WHERE c = $1").bind(2);
        let joined = Statement::side_by_side(vec![first.clone(), second]);
        let expected = "WITH s0 AS (SELECT a FROM b WHERE a = $1), s1 AS (SELECT c FROM d WHERE c = $2) \
                        SELECT s0.*, s1.* FROM s0 FULL JOIN s1 ON false";
        assert!(joined.is_some_and(|joined| joined.sql == expected && joined.args.len() == 2));
        let alone = Statement::side_by_side(vec![first]);
        assert!(alone.is_some_and(|alone| alone.sql == "SELECT a FROM b WHERE a = $1"));
    }
}
