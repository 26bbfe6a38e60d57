use super::needle::{Needle, escaped, hexadecimal_pattern};
use super::run::Run;
use super::{SearchDirection, SearchObjects, SearchOrder, SearchPage};
use crate::CatalogError;
use crate::engine::Engine;
use crate::listing::{KeyRange, just_after};
use crate::query::ListedObject;
use crate::sql::{Excerpt as _, Row, Statement};

/// Keys that one statement looks at: few enough that their columns fit into `work_mem` and that a statement takes some
/// milliseconds, after which the search can end and the connection is another's.
pub(crate) const CHUNK: u64 = 10_000;

/// Positions after the columns of a [`ListedObject`].
const VALUE: usize = ListedObject::COLUMNS.len();
const SEEN: usize = VALUE + 1;
const LAST: usize = VALUE + 2;

/// A statement for each chunk of the range filters and sorts on the server; here the chunks are merged.
pub(super) async fn search(
    engine: &Engine,
    query: &SearchObjects,
    mut range: KeyRange,
) -> Result<SearchPage, CatalogError> {
    let mut run = Run::new(query);
    // Begins the time.
    run.is_time_over();
    loop {
        let left = run.keys_left();
        // Without a key left, whether there is one more.
        let keys = left.min(chunk(query, &run)).max(1);
        let statement = select_chunk(query, &run, range.clone(), keys);
        let rows = engine.fetch(statement, read_row).await?;
        let Some(first) = rows.first() else {
            return Err(CatalogError::Corrupt("a count without a row"));
        };
        let (seen, last) = (first.seen, first.last.clone());
        if left == 0 && seen > 0 {
            run.reach_bound();
            break;
        }
        run.scanned += seen;
        for (value, object) in rows.into_iter().filter_map(|row| row.found) {
            if run.best.admits(value, object.key.as_bytes()) {
                run.best.insert(value, object);
            }
        }
        let Some(last) = last.filter(|_| seen == keys && !run.is_page_full()) else {
            break;
        };
        range = beyond(query, range, &last);
        run.last = last;
        if range.is_empty() {
            break;
        }
        if run.is_time_over() {
            run.reach_bound();
            break;
        }
    }
    run.into_page()
}

/// How many keys the next statement looks at.
fn chunk(query: &SearchObjects, run: &Run) -> u64 {
    match (query.order, &run.needle) {
        // Each of them is found.
        (SearchOrder::Key, Needle::Empty) => CHUNK.min(u64::from(query.max) + 1),
        (SearchOrder::Key, Needle::Exact(_) | Needle::IgnoringCase(_))
        | (SearchOrder::Size | SearchOrder::Modified, _) => CHUNK,
    }
}

/// What is left of a range after a key.
fn beyond(query: &SearchObjects, range: KeyRange, last: &[u8]) -> KeyRange {
    match query.key_direction() {
        SearchDirection::Ascending => KeyRange {
            start: just_after(last),
            ..range
        },
        SearchDirection::Descending => KeyRange {
            end: last.to_vec(),
            ..range
        },
    }
}

/// A row of a chunk's answer: what was looked at, and an object that was found, if any was.
struct ChunkRow {
    /// How many keys were looked at.
    seen: u64,
    /// The last of them.
    last: Option<Vec<u8>>,
    found: Option<(i64, ListedObject)>,
}

fn read_row(row: &Row<'_>) -> Result<ChunkRow, CatalogError> {
    let found = match row.opt_int(VALUE)? {
        Some(value) => Some((value, ListedObject::read(row)?)),
        None => None,
    };
    let seen = u64::try_from(row.int(SEEN)?);
    Ok(ChunkRow {
        seen: seen.map_err(|_| CatalogError::Corrupt("a count of keys"))?,
        last: row.opt_bytes(LAST)?,
        found,
    })
}

/// Reads `keys` keys of a range, and finds those that match and get into the page.
fn select_chunk(query: &SearchObjects, run: &Run, range: KeyRange, keys: u64) -> Statement {
    let columns = ListedObject::select_list("o");
    let (value, direction) = (query.value_column(), query.direction.sql());
    let (keys_direction, last_direction) = match query.key_direction() {
        SearchDirection::Ascending => ("ASC", "DESC"),
        SearchDirection::Descending => ("DESC", "ASC"),
    };
    let matches = match &run.needle {
        Needle::Empty => "true",
        Needle::Exact(_) => "position($10 IN o.key) > 0",
        // The encoding may contain the other across the borders of bytes; in hexadecimal digits all bytes are alike.
        Needle::IgnoringCase(_) => {
            "CASE WHEN position($10 IN lower(encode(o.key, 'escape') COLLATE \"C\")) > 0
                  THEN encode(o.key, 'hex') ~ $11 ELSE false END"
        }
    };
    let sql = format!(
        "WITH seen AS (
             SELECT {columns}, {value} AS value FROM objects o
             WHERE o.bucket_id = $1 AND o.key >= $2 AND o.key < $3 ORDER BY o.key {keys_direction} LIMIT $4
         ), found AS (
             SELECT * FROM seen o
             WHERE (o.value, o.key) > ($5, $6) AND (o.value, o.key) < ($7, $8) AND {matches}
             ORDER BY o.value {direction}, o.key {direction} LIMIT $9
         ), looked AS (
             SELECT COUNT(*) AS keys, (SELECT key FROM seen ORDER BY key {last_direction} LIMIT 1) AS last FROM seen
         )
         SELECT {columns}, o.value, looked.keys, looked.last FROM looked LEFT JOIN found o ON true"
    );
    let (lower, upper) = run.best.window();
    let statement = Statement::built(sql)
        .bind(query.bucket.0)
        .bind(range.start)
        .bind(range.end)
        .bind(i64::try_from(keys).unwrap_or(i64::MAX))
        .bind(lower.value)
        .bind(lower.key.as_slice())
        .bind(upper.value)
        .bind(upper.key.as_slice())
        .bind(i64::from(query.max) + 1);
    match &run.needle {
        Needle::Empty => statement,
        Needle::Exact(bytes) => statement.bind(bytes.as_slice()),
        Needle::IgnoringCase(bytes) => statement
            .bind(escaped(bytes))
            .bind(hexadecimal_pattern(bytes)),
    }
}
