use crate::model::ChangePosition;
use crate::query::ChangesSince;
use crate::rows::LogRow;
use crate::sql::{Dialect, Record, Row, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// The last position of the change log: a listing that begins after this call shows at least all changes up to it.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn last_change(&self) -> Result<ChangePosition, CatalogError> {
        let (position, _) = self.change_bounds().await?;
        Ok(position)
    }

    /// Changes after a position, at most `max`. A change appears within a second after its commit, in a listing
    /// possibly earlier.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn changes_since(
        &self,
        after: ChangePosition,
        max: u32,
    ) -> Result<ChangesSince, CatalogError> {
        let sql = format!(
            "SELECT {} FROM change_log o WHERE o.position > $1 ORDER BY o.position LIMIT $2",
            LogRow::TABLE.select_list("o")
        );
        let statement = Statement::built(sql)
            .bind(after.position)
            .bind(i64::from(max));
        let rows = self.engine().fetch(statement, LogRow::read).await?;
        // Read after the rows, which may lack changes compacted in the meantime.
        let (last, compacted) = self.change_bounds().await?;
        let held = compacted..=last.position;
        if after.incarnation != last.incarnation || !held.contains(&after.position) {
            return Ok(ChangesSince::Compacted);
        }
        let position = rows.last().map_or(after.position, |row| row.position);
        let changes = rows.into_iter().map(|row| row.change).collect();
        Ok(ChangesSince::Page(
            changes,
            ChangePosition { position, ..after },
        ))
    }

    /// The last position, and the last one that was compacted.
    async fn change_bounds(&self) -> Result<(ChangePosition, i64), CatalogError> {
        let sql = match self.engine().pools.dialect() {
            Dialect::Sqlite => {
                "SELECT MAX(s.compacted, COALESCE((SELECT MAX(position) FROM change_log), 0)),
                        s.compacted, s.incarnation FROM change_sequencer s"
            }
            Dialect::Postgres => {
                "SELECT s.next - 1, s.compacted, s.incarnation FROM change_sequencer s"
            }
        };
        let read = |row: &Row<'_>| {
            let position = ChangePosition {
                position: row.int(0)?,
                incarnation: row.int(2)?,
            };
            Ok((position, row.int(1)?))
        };
        let bounds = self.engine().find(Statement::new(sql), read).await?;
        bounds.ok_or(CatalogError::Corrupt("change_sequencer"))
    }
}
