use crate::query::{More, PartPage};
use crate::rows::PartRow;
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::UploadId;

impl Catalog {
    /// Parts with numbers above `after` (0: from the first), by number.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_parts(
        &self,
        upload: UploadId,
        after: u16,
        max: u32,
    ) -> Result<PartPage, CatalogError> {
        let sql = format!(
            "SELECT {} FROM parts o WHERE o.upload_id = $1 AND o.number > $2 ORDER BY o.number LIMIT $3",
            PartRow::TABLE.select_list("o")
        );
        let statement = Statement::built(sql)
            .bind(upload.as_bytes().as_slice())
            .bind(i64::from(after))
            .bind(super::one_more(max));
        let read = |row: &Row<'_>| Ok(PartRow::read(row)?.part);
        let page = super::cut(self.engine().fetch(statement, read).await?, max);
        let next = match page.more {
            More::Yes => page.items.last().map(|part| part.number),
            More::No => None,
        };
        Ok(PartPage {
            parts: page.items,
            next,
        })
    }
}
