use std::ops::ControlFlow;

use super::run::Run;
use super::{SearchObjects, SearchPage};
use crate::CatalogError;
use crate::listing::KeyRange;
use crate::query::ListedObject;
use crate::sql::{Excerpt as _, Row, RowVisitor, Sqlite, Statement};

/// Keys between two looks at the clock.
pub(crate) const LOOKS_AT_CLOCK: u64 = 1024;

/// The position of the key among the columns of a [`ListedObject`].
const KEY: usize = 0;
/// The position of the size or time, after them.
const VALUE: usize = ListedObject::COLUMNS.len();

/// One statement reads the range; the rows are compared here, where few of them are kept.
pub(super) async fn search(
    sqlite: &Sqlite,
    query: &SearchObjects,
    range: KeyRange,
) -> Result<SearchPage, CatalogError> {
    let sql = format!(
        "SELECT {}, {} FROM objects o WHERE o.bucket_id = $1 AND o.key >= $2 AND o.key < $3 ORDER BY o.key {}",
        ListedObject::select_list("o"),
        query.value_column(),
        query.key_direction().sql(),
    );
    let statement = Statement::built(sql)
        .bind(query.bucket.0)
        .bind(range.start)
        .bind(range.end);
    let run = sqlite.visit(statement, Run::new(query)).await?;
    run.into_page()
}

impl RowVisitor for Run {
    fn visit(&mut self, row: &Row<'_>) -> Result<ControlFlow<()>, CatalogError> {
        if self.is_page_full() {
            return Ok(ControlFlow::Break(()));
        }
        let is_clock_due = self.scanned.is_multiple_of(LOOKS_AT_CLOCK);
        // The first look only begins the time.
        if self.keys_left() == 0 || is_clock_due && self.is_time_over() && self.scanned > 0 {
            self.reach_bound();
            return Ok(ControlFlow::Break(()));
        }
        let key = row.slice(KEY)?;
        self.scanned += 1;
        self.last.clear();
        self.last.extend_from_slice(key);
        let value = row.int(VALUE)?;
        if self.best.admits(value, key) && self.needle.is_in(key) {
            self.best.insert(value, ListedObject::read(row)?);
        }
        Ok(ControlFlow::Continue(()))
    }
}
