use super::texts::{Ingredients, text};
use super::{Arg, Kind, Statement, Table, Value};
use bucketry_domain::{BlobId, Timestamp};

/// When a blob counts as having become garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MarkTime {
    /// At this moment.
    At(Timestamp),
    /// When the database runs the statement, by its own clock.
    Database,
}

impl MarkTime {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::At(at) => at.as_micros().into(),
            Self::Database => Value::Int(None),
        }
    }
}

/// Which SQL an engine speaks, where it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Marks blobs that a statement selects. Their time is given; NULL on Postgres stands for that of the database: of the
/// statement rather than of the clock, since the rows that a statement marks must be alike for `DISTINCT`.
macro_rules! mark {
    ($blob:literal, $time:expr) => {
        concat!(
            "INSERT INTO garbage (blob_id, unreferenced_at) SELECT DISTINCT ",
            $blob,
            ", ",
            $time,
            " FROM"
        )
    };
}

macro_rules! own_time {
    () => {
        "COALESCE(k.column2, CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000000 AS bigint))"
    };
}

/// Rows per statement on SQLite: texts stay short, and powers of two keep the number of prepared statements small.
const SQLITE_ROWS: usize = 64;

impl Dialect {
    /// Keeps the sequencer out until the end of the transaction: on Postgres only it adds to the statistics of buckets. What
    /// it did before is seen by later statements alone.
    pub(crate) fn lock_sequencer(self) -> Option<Statement> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(Statement::new(
                "SELECT o.one FROM change_sequencer o WHERE o.one = 1 FOR UPDATE",
            )),
        }
    }

    /// Marks blobs as garbage, or anew if they are marked already. Condemned ones keep their mark.
    pub(crate) fn mark_garbage(
        self,
        blobs: impl IntoIterator<Item = BlobId>,
        at: MarkTime,
    ) -> Vec<Statement> {
        let keys = blobs
            .into_iter()
            .map(|blob| vec![blob.to_i64().into(), at.value()])
            .collect();
        let before = match self {
            Self::Sqlite => mark!("k.column1", "k.column2"),
            Self::Postgres => mark!("k.column1", own_time!()),
        };
        let after = "WHERE true ORDER BY 1 ON CONFLICT (blob_id) DO UPDATE
            SET unreferenced_at = excluded.unreferenced_at WHERE garbage.condemned = 0 RETURNING blob_id";
        self.for_keys(&[Kind::Int, Kind::Int], keys, before, after)
    }

    /// Marks the blobs of rows of data. Whether something else refers to them is asked when they are collected: asked here,
    /// two nodes that drop the last two references would each see the other's.
    pub(crate) fn mark_dropped(
        self,
        data: impl IntoIterator<Item = i64>,
        at: MarkTime,
    ) -> Vec<Statement> {
        let keys = data.into_iter().map(|data| vec![data.into(), at.value()]);
        let before = match self {
            Self::Sqlite => mark!("o.blob_id", "k.column2"),
            Self::Postgres => mark!("o.blob_id", own_time!()),
        };
        // In order, as all marks: several nodes may mark the blobs of copies.
        let after = "CROSS JOIN blob_refs o WHERE o.data_id = k.column1 ORDER BY 1
                     ON CONFLICT (blob_id) DO UPDATE SET unreferenced_at = excluded.unreferenced_at";
        self.for_keys(&[Kind::Int, Kind::Int], keys.collect(), before, after)
    }

    /// Condemns garbage, by blob and time of its mark. A commit that has locked a mark is waited for, and the row looked at
    /// again: it is gone if the commit took the blob out.
    pub(crate) fn condemn(self, marks: Vec<Vec<Value>>) -> Vec<Statement> {
        let before = "UPDATE garbage SET condemned = 1 FROM";
        let after = "WHERE garbage.blob_id = k.column1 AND garbage.unreferenced_at = k.column2
                     AND NOT EXISTS (SELECT 1 FROM blob_refs r WHERE r.blob_id = garbage.blob_id)
                     RETURNING blob_id, unreferenced_at";
        self.for_keys(&[Kind::Int, Kind::Int], marks, before, after)
    }

    /// Reads the rows of these keys.
    ///
    /// On Postgres each key is looked up in the index of its table: a plan that was made while the table was small would
    /// otherwise scan the whole table even after it has grown. The sub-selects hide how many keys there are. A plan for one
    /// number of keys would seem cheaper than the general one, and the server would make it for every execution.
    pub(crate) fn select_by_key(self, table: &Table, keys: Vec<Vec<Value>>) -> Vec<Statement> {
        self.select_locked_by_key(table, keys, "")
    }

    /// Reads the rows of these keys and keeps others from changing them, on Postgres in the order of the keys. SQLite has a
    /// single writer.
    pub(crate) fn share_by_key(self, table: &Table, keys: Vec<Vec<Value>>) -> Vec<Statement> {
        self.select_locked_by_key(table, keys, "FOR SHARE")
    }

    fn select_locked_by_key(
        self,
        table: &Table,
        keys: Vec<Vec<Value>>,
        lock: &'static str,
    ) -> Vec<Statement> {
        let kinds: Vec<Kind> = (table.key_columns().iter())
            .map(|(_, kind)| *kind)
            .collect();
        let text = |rows: usize| {
            text(
                Ingredients::new(self, rows, ["BY KEY", table.name, lock]),
                || self.select_by_key_text(table, &kinds, rows, lock),
            )
        };
        match self {
            Self::Sqlite => chunks_padded(keys)
                .into_iter()
                .map(|chunk| Statement::new(text(chunk.len())).bind_all(flatten(chunk)))
                .collect(),
            Self::Postgres if keys.is_empty() => Vec::new(),
            Self::Postgres => vec![Statement::new(text(0)).bind_all(columns(&kinds, keys))],
        }
    }

    fn select_by_key_text(self, table: &Table, kinds: &[Kind], rows: usize, lock: &str) -> String {
        let (name, list) = (table.name, table.select_list("o"));
        let conditions: Vec<String> = (table.key_columns().iter())
            .enumerate()
            .map(|(column, (name, _))| format!("o.{name} = k.column{}", column + 1))
            .collect();
        let condition = conditions.join(" AND ");
        match self {
            Self::Sqlite => {
                let keys = self.relation(kinds, rows);
                format!("SELECT {list} FROM {keys} CROSS JOIN {name} o WHERE {condition}")
            }
            Self::Postgres => {
                let arrays = arrays(kinds).map(|array| format!("(SELECT {array})"));
                let keys = unnested(&arrays.collect::<Vec<_>>().join(", "), kinds.len());
                // OFFSET 0 keeps the planner from joining the tables in another way.
                format!(
                    "SELECT {list} FROM {keys} CROSS JOIN LATERAL
                     (SELECT * FROM {name} o WHERE {condition} OFFSET 0 {lock}) o"
                )
            }
        }
    }

    /// `SELECT … FROM keys AS k CROSS JOIN …`: one statement for many keys. `before` and `after` are the text around
    /// the relation `k(column1, column2 …)` that holds the keys.
    pub(crate) fn for_keys(
        self,
        kinds: &[Kind],
        rows: Vec<Vec<Value>>,
        before: &'static str,
        after: &'static str,
    ) -> Vec<Statement> {
        let text = |rows: usize| {
            text(Ingredients::new(self, rows, [before, after, ""]), || {
                format!("{before} {} {after}", self.relation(kinds, rows))
            })
        };
        match self {
            Self::Sqlite => chunks_padded(rows)
                .into_iter()
                .map(|chunk| Statement::new(text(chunk.len())).bind_all(flatten(chunk)))
                .collect(),
            Self::Postgres if rows.is_empty() => Vec::new(),
            Self::Postgres => vec![Statement::new(text(0)).bind_all(columns(kinds, rows))],
        }
    }

    fn relation(self, kinds: &[Kind], rows: usize) -> String {
        match self {
            Self::Sqlite => format!("({}) AS k", values_list(kinds.len(), rows)),
            Self::Postgres => unnested(&array_list(kinds), kinds.len()),
        }
    }

    /// Inserts rows; `on_conflict` is what follows the rows.
    pub(crate) fn insert(
        self,
        table: &Table,
        rows: Vec<Vec<Value>>,
        on_conflict: &'static str,
    ) -> Vec<Statement> {
        let text = |rows: usize| {
            text(
                Ingredients::new(self, rows, ["INSERT", table.name, on_conflict]),
                || self.insert_text(table, rows, on_conflict),
            )
        };
        self.rows_as_they_are(table, rows, text)
    }

    /// Inserts rows or replaces those of the same key.
    pub(crate) fn upsert(self, table: &Table, rows: Vec<Vec<Value>>) -> Vec<Statement> {
        let text = |rows: usize| {
            text(
                Ingredients::new(self, rows, ["UPSERT", table.name, ""]),
                || self.insert_text(table, rows, &replacing(table)),
            )
        };
        self.rows_as_they_are(table, rows, text)
    }

    fn rows_as_they_are(
        self,
        table: &Table,
        rows: Vec<Vec<Value>>,
        text: impl Fn(usize) -> &'static str,
    ) -> Vec<Statement> {
        match self {
            Self::Sqlite => chunks_exact(rows)
                .into_iter()
                .map(|chunk| Statement::new(text(chunk.len())).bind_all(flatten(chunk)))
                .collect(),
            Self::Postgres if rows.is_empty() => Vec::new(),
            Self::Postgres => {
                let kinds: Vec<Kind> = table.columns.iter().map(|(_, kind)| *kind).collect();
                vec![Statement::new(text(0)).bind_all(columns(&kinds, rows))]
            }
        }
    }

    fn insert_text(self, table: &Table, rows: usize, on_conflict: &str) -> String {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let kinds: Vec<Kind> = table.columns.iter().map(|(_, kind)| *kind).collect();
        let values = match self {
            Self::Sqlite => values_list(kinds.len(), rows),
            Self::Postgres => format!("SELECT * FROM UNNEST({})", array_list(&kinds)),
        };
        let names = names.join(", ");
        format!(
            "INSERT INTO {} ({names}) {values} {on_conflict}",
            table.name
        )
    }

    /// Deletes the rows whose `key` columns have these values. They must be the beginning of an index.
    pub(crate) fn delete(
        self,
        table: &'static str,
        key: &'static [(&'static str, Kind)],
        rows: Vec<Vec<Value>>,
    ) -> Vec<Statement> {
        let [first, last] =
            [key.first(), key.last()].map(|column| column.map_or("", |(name, _)| name));
        let text = |rows: usize| {
            text(Ingredients::new(self, rows, [table, first, last]), || {
                self.delete_text(table, key, rows)
            })
        };
        match self {
            Self::Sqlite => chunks_padded(rows)
                .into_iter()
                .map(|chunk| Statement::new(text(chunk.len())).bind_all(flatten(chunk)))
                .collect(),
            Self::Postgres if rows.is_empty() => Vec::new(),
            Self::Postgres => {
                let kinds: Vec<Kind> = key.iter().map(|(_, kind)| *kind).collect();
                vec![Statement::new(text(0)).bind_all(columns(&kinds, rows))]
            }
        }
    }

    fn delete_text(self, table: &str, key: &[(&str, Kind)], rows: usize) -> String {
        let names: Vec<&str> = key.iter().map(|(name, _)| *name).collect();
        let condition = match self {
            // A row value in a list would be a scan on SQLite; a chain of OR uses the index for each.
            Self::Sqlite => any_of(&names, rows),
            Self::Postgres => {
                let kinds: Vec<Kind> = key.iter().map(|(_, kind)| *kind).collect();
                let list = names.join(", ");
                format!("({list}) IN (SELECT * FROM UNNEST({}))", array_list(&kinds))
            }
        };
        format!("DELETE FROM {table} WHERE {condition}")
    }
}

/// What an insertion does with rows of the same key: it replaces them.
fn replacing(table: &Table) -> String {
    let keys: Vec<&str> = table.key_columns().iter().map(|(name, _)| *name).collect();
    let sets: Vec<String> = table
        .other_columns()
        .iter()
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    let action = if sets.is_empty() {
        "NOTHING".to_owned()
    } else {
        format!("UPDATE SET {}", sets.join(", "))
    };
    format!("ON CONFLICT ({}) DO {action}", keys.join(", "))
}

/// `VALUES (?,?),(?,?)`
fn values_list(width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    format!("VALUES {}", vec![row.as_str(); rows].join(","))
}

/// `a = ? AND b = ? OR a = ? AND b = ?`
fn any_of(names: &[&str], rows: usize) -> String {
    let one: Vec<String> = names.iter().map(|name| format!("{name} = ?")).collect();
    vec![one.join(" AND ").as_str(); rows].join(" OR ")
}

/// `$1::bigint[], $2::bytea[]`
fn array_list(kinds: &[Kind]) -> String {
    arrays(kinds).collect::<Vec<_>>().join(", ")
}

fn arrays(kinds: &[Kind]) -> impl Iterator<Item = String> {
    kinds.iter().enumerate().map(|(column, kind)| {
        let of = match kind {
            Kind::Int => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
        };
        format!("${}::{of}[]", column + 1)
    })
}

/// `UNNEST(…) AS k(column1, column2)`
fn unnested(arrays: &str, columns: usize) -> String {
    let names: Vec<String> = (1..=columns)
        .map(|column| format!("column{column}"))
        .collect();
    format!("UNNEST({arrays}) AS k({})", names.join(", "))
}

fn flatten(rows: Vec<Vec<Value>>) -> Vec<Arg> {
    rows.into_iter().flatten().map(Arg::One).collect()
}

/// Turns rows into one array argument per column.
fn columns(kinds: &[Kind], rows: Vec<Vec<Value>>) -> Vec<Arg> {
    let mut columns: Vec<Arg> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Int => Arg::Ints(Vec::with_capacity(rows.len())),
            Kind::Text => Arg::Texts(Vec::with_capacity(rows.len())),
            Kind::Bytes => Arg::Blobs(Vec::with_capacity(rows.len())),
        })
        .collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            match (column, value) {
                (Arg::Ints(all), Value::Int(value)) => all.push(value),
                (Arg::Texts(all), Value::Text(value)) => all.push(value),
                (Arg::Blobs(all), Value::Bytes(value)) => all.push(value),
                (column, _) => *column = Arg::Mixed,
            }
        }
    }
    columns
}

/// Splits into chunks of powers of two, without padding: for rows that must be there once.
fn chunks_exact(rows: Vec<Vec<Value>>) -> Vec<Vec<Vec<Value>>> {
    let mut chunks = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = SQLITE_ROWS.min(1 << rows.len().ilog2());
        chunks.push(rows.by_ref().take(size).collect());
    }
    chunks
}

/// Splits into chunks and pads the last to a power of two by repeating its last row: for keys to look for.
fn chunks_padded(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Vec<Value>>> {
    if let Some(last) = rows.last().cloned() {
        let tail = rows.len() % SQLITE_ROWS;
        let padding = if tail == 0 {
            0
        } else {
            tail.next_power_of_two() - tail
        };
        rows.extend(std::iter::repeat_n(last, padding));
    }
    let mut chunks = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        chunks.push(rows.by_ref().take(SQLITE_ROWS).collect());
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(count: usize) -> Vec<Vec<Value>> {
        (0..count)
            .map(|row| vec![Value::from(row as i64)])
            .collect()
    }

    proptest! {
        #[test]
        fn exact_chunks_are_the_rows(count in 0usize..1000) {
            let chunks = chunks_exact(rows(count));
            prop_assert!(chunks.iter().all(|chunk| chunk.len().is_power_of_two() && chunk.len() <= SQLITE_ROWS));
            prop_assert_eq!(chunks.concat(), rows(count));
        }

        #[test]
        fn padded_chunks_hold_the_rows_and_no_others(count in 0usize..1000) {
            let chunks = chunks_padded(rows(count));
            prop_assert!(chunks.iter().all(|chunk| chunk.len().is_power_of_two() && chunk.len() <= SQLITE_ROWS));
            let mut all = chunks.concat();
            all.dedup();
            prop_assert_eq!(all, rows(count));
        }
    }

    #[test]
    fn a_value_of_another_type_is_no_null() {
        let rows = vec![vec![Value::from(1)], vec![Value::from("text")]];
        assert!(matches!(*columns(&[Kind::Int], rows), [Arg::Mixed]));
    }

    #[test]
    fn texts() {
        assert_eq!(values_list(2, 2), "VALUES (?,?),(?,?)");
        assert_eq!(any_of(&["a", "b"], 2), "a = ? AND b = ? OR a = ? AND b = ?");
        assert_eq!(
            array_list(&[Kind::Int, Kind::Bytes]),
            "$1::bigint[], $2::bytea[]"
        );
        const TABLE: Table = Table {
            name: "t",
            columns: &[("a", Kind::Int), ("b", Kind::Bytes), ("c", Kind::Int)],
            key: 2,
        };
        let keys = || vec![vec![Value::from(1), Value::from(vec![2_u8])]];
        let text = |dialect: Dialect| {
            let statements = dialect.select_by_key(&TABLE, keys());
            statements[0]
                .sql()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            text(Dialect::Sqlite),
            "SELECT o.a, o.b, o.c FROM (VALUES (?,?)) AS k CROSS JOIN t o \
             WHERE o.a = k.column1 AND o.b = k.column2"
        );
        assert_eq!(
            text(Dialect::Postgres),
            "SELECT o.a, o.b, o.c FROM UNNEST((SELECT $1::bigint[]), (SELECT $2::bytea[])) AS k(column1, column2) \
             CROSS JOIN LATERAL (SELECT * FROM t o WHERE o.a = k.column1 AND o.b = k.column2 OFFSET 0 ) o"
        );
    }
}
