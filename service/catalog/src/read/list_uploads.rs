use crate::listing::{KeyRange, Scope, just_after, successor};
use crate::model::Upload;
use crate::query::{ListUploads, Listed, UploadPage};
use crate::sql::{Record, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// A page of open uploads, by key and then by start.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_uploads(&self, query: &ListUploads) -> Result<UploadPage, CatalogError> {
        let scope = Scope {
            prefix: &query.prefix,
            delimiter: &query.delimiter,
            after: &query.key_marker,
        };
        let KeyRange { start, end } = scope.range();
        let max = query.max as usize;
        if max == 0 {
            return Ok(UploadPage::default());
        }
        // Uploads above (key, id) are to come; an empty id is below every id of the key.
        let mut above = (start, Vec::new());
        if let Some(marker) = query.upload_marker
            && above.0 == just_after(query.key_marker.as_bytes())
            // The prefix may be the marker and a zero byte.
            && query.key_marker.starts_with(&query.prefix)
        {
            above = (
                query.key_marker.as_bytes().to_vec(),
                marker.as_bytes().to_vec(),
            );
        }
        let mut entries: Vec<Listed<Upload>> = Vec::new();
        'pages: while entries.len() <= max && above.0 < end {
            let uploads = self.fetch_uploads(query, &above, &end).await?;
            let full = uploads.len() > max;
            for upload in uploads {
                above = (
                    upload.key.as_bytes().to_vec(),
                    upload.id.as_bytes().to_vec(),
                );
                let Some(common) = scope.rolled_up(upload.key.as_str()).map(str::to_owned) else {
                    entries.push(Listed::Entry(upload));
                    continue;
                };
                above = (successor(common.as_bytes()), Vec::new());
                entries.push(Listed::CommonPrefix(common));
                continue 'pages;
            }
            if !full {
                break;
            }
        }
        Ok(cut(entries, max))
    }

    async fn fetch_uploads(
        &self,
        query: &ListUploads,
        above: &(Vec<u8>, Vec<u8>),
        end: &[u8],
    ) -> Result<Vec<Upload>, CatalogError> {
        let sql = format!(
            "SELECT {} FROM uploads o WHERE o.state = 0 AND o.bucket_id = $1 AND (o.key, o.id) > ($2, $3) AND o.key < $4
             ORDER BY o.key, o.id LIMIT $5",
            Upload::TABLE.select_list("o")
        );
        let statement = Statement::built(sql)
            .bind(query.bucket.0)
            .bind(above.0.clone())
            .bind(above.1.clone())
            .bind(end)
            .bind(super::one_more(query.max));
        self.engine().fetch(statement, Upload::read).await
    }
}

fn cut(mut entries: Vec<Listed<Upload>>, max: usize) -> UploadPage {
    let more = entries.len() > max;
    entries.truncate(max);
    let next = entries.last().filter(|_| more).map(|last| match last {
        Listed::Entry(upload) => (upload.key.as_str().to_owned(), Some(upload.id)),
        Listed::CommonPrefix(common) => (common.clone(), None),
    });
    UploadPage { entries, next }
}
