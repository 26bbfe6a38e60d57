use std::sync::LazyLock;

use super::SHORT_PAGE;
use crate::listing::{KeyRange, Scope, successor};
use crate::model::ObjectRow;
use crate::query::{ListObjects, Listed, ListedObject, ObjectPage, ObjectView};
use crate::sql::{Dialect, Excerpt, Record, Row, Statement};
use crate::{Catalog, CatalogError};

/// The longest page of looked-up rows that is read on the thread of the request.
const FEW_STEPS: u32 = 100;

impl Catalog {
    /// A page of keys and common prefixes in byte order. Its cost grows with the page, not with the bucket: under a common
    /// prefix no key is read but the first.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_objects(&self, query: &ListObjects) -> Result<ObjectPage, CatalogError> {
        let scope = Scope {
            prefix: &query.prefix,
            delimiter: &query.delimiter,
            after: &query.after,
        };
        let range = scope.range();
        if query.max == 0 || range.is_empty() {
            return Ok(ObjectPage::default());
        }
        let (engine, read) = (self.engine(), read(query.view));
        let mut rows = if query.delimiter.is_empty() {
            let statement = straight(query, range);
            match query.max {
                ..=SHORT_PAGE => engine.fetch(statement, read).await?,
                _ => engine.scan(statement, read).await?,
            }
        } else {
            let statement = skipping(query, range, engine.pools.dialect());
            let mut rows = match query.max {
                ..=FEW_STEPS => engine.fetch(statement, read).await?,
                _ => engine.scan(statement, read).await?,
            };
            rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            rows
        };
        let max = query.max as usize;
        let more = rows.len() > max;
        rows.truncate(max);
        let entry = |row: ListedObject| match scope.rolled_up(row.key.as_str()) {
            Some(common) => Listed::CommonPrefix(common.to_owned()),
            None => Listed::Entry(row),
        };
        let entries: Vec<_> = rows.into_iter().map(entry).collect();
        let next = entries.last().filter(|_| more).map(|last| match last {
            Listed::Entry(row) => row.key.as_str().to_owned(),
            Listed::CommonPrefix(common) => common.clone(),
        });
        Ok(ObjectPage { entries, next })
    }
}

fn select_list(view: ObjectView) -> String {
    match view {
        ObjectView::Basic => ListedObject::select_list("o"),
        ObjectView::Full => ObjectRow::TABLE.select_list("o"),
    }
}

fn read(view: ObjectView) -> impl Fn(&Row<'_>) -> Result<ListedObject, CatalogError> + Clone {
    move |row| match view {
        ObjectView::Basic => ListedObject::read(row),
        ObjectView::Full => ObjectRow::read(row).map(ListedObject::from),
    }
}

static STRAIGHT_BASIC: LazyLock<String> = LazyLock::new(|| straight_text(ObjectView::Basic));
static STRAIGHT_FULL: LazyLock<String> = LazyLock::new(|| straight_text(ObjectView::Full));

fn straight_text(view: ObjectView) -> String {
    format!(
        "SELECT {} FROM objects o WHERE o.bucket_id = $1 AND o.key >= $2 AND o.key < $3 ORDER BY o.key LIMIT $4",
        select_list(view)
    )
}

/// Without a delimiter: a range of the primary key.
fn straight(query: &ListObjects, range: KeyRange) -> Statement {
    let sql = match query.view {
        ObjectView::Basic => &STRAIGHT_BASIC,
        ObjectView::Full => &STRAIGHT_FULL,
    };
    Statement::new(sql)
        .bind(query.bucket.0)
        .bind(range.start)
        .bind(range.end)
        .bind(super::one_more(query.max))
}

/// With a delimiter: each step looks up the first key that is not below the last one, or not below the common prefix that
/// the last one was rolled up to.
fn skipping(query: &ListObjects, range: KeyRange, dialect: Dialect) -> Statement {
    let first = "SELECT o.key FROM objects o WHERE o.bucket_id = $1 AND o.key < $3 AND o.key >=";
    let next = match dialect {
        Dialect::Sqlite => {
            "CASE instr(substr(w.key, $6 + 1), $4)
             WHEN 0 THEN CAST(w.key || x'00' AS BLOB)
             ELSE CAST(substr(w.key, 1, $6 + instr(substr(w.key, $6 + 1), $4) - 1) || $5 AS BLOB) END"
        }
        Dialect::Postgres => {
            "CASE position($4 IN substring(w.key FROM $6::int + 1))
             WHEN 0 THEN w.key || '\\x00'::bytea
             ELSE substring(w.key FOR $6::int + position($4 IN substring(w.key FROM $6::int + 1)) - 1) || $5 END"
        }
    };
    let list = select_list(query.view);
    let sql = format!(
        "WITH RECURSIVE walk(key, n) AS (
             SELECT ({first} $2 ORDER BY o.key LIMIT 1), 1
             UNION ALL
             SELECT ({first} {next} ORDER BY o.key LIMIT 1), w.n + 1 FROM walk w WHERE w.key IS NOT NULL AND w.n < $7
         )
         SELECT {list} FROM walk w CROSS JOIN objects o WHERE o.bucket_id = $1 AND o.key = w.key"
    );
    let delimiter = query.delimiter.as_bytes();
    Statement::built(sql)
        .bind(query.bucket.0)
        .bind(range.start)
        .bind(range.end)
        .bind(delimiter)
        .bind(successor(delimiter))
        .bind(i64::try_from(query.prefix.len()).unwrap_or(i64::MAX))
        .bind(super::one_more(query.max))
}
