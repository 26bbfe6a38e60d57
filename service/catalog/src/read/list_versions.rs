use super::SHORT_PAGE;
use crate::listing::{KeyRange, Scope};
use crate::model::{KeyVersion, NoncurrentVersion, ObjectRow};
use crate::query::{ListVersions, ListedObject, ListedVersion, VersionMarker, VersionPage};
use crate::sql::{Excerpt, Record, Statement};
use crate::{Catalog, CatalogError};
use bucketry_domain::{Generation, VersionId};

/// A version as the statement reads it.
type VersionExcerpt = (VersionId, KeyVersion<ListedObject>);

impl Catalog {
    /// A page of versions and delete markers: keys in byte order, the versions of a key newest first. Its cost grows with
    /// the page, and neither with the bucket nor with the versions of a key.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_versions(&self, query: &ListVersions) -> Result<VersionPage, CatalogError> {
        let scope = Scope {
            prefix: &query.prefix,
            delimiter: "",
            after: &query.after.key,
        };
        let range = scope.range();
        if query.max == 0 || range.is_empty() {
            return Ok(VersionPage::default());
        }
        let is_listed = query.after.key.starts_with(&query.prefix);
        let older_than = query.after.generation.filter(|_| is_listed);
        let statement = select_versions(query, range, older_than);
        let mut rows = match query.max {
            ..=SHORT_PAGE => self.engine().fetch(statement, VersionExcerpt::read).await?,
            _ => self.engine().scan(statement, VersionExcerpt::read).await?,
        };
        rows.sort_unstable_by(|(_, a), (_, b)| {
            let newest_first = b.generation().cmp(&a.generation());
            a.key().cmp(b.key()).then(newest_first)
        });
        Ok(page(query, rows, older_than))
    }
}

/// Cuts a page out of sorted rows.
fn page(
    query: &ListVersions,
    mut rows: Vec<VersionExcerpt>,
    older_than: Option<Generation>,
) -> VersionPage {
    let max = query.max as usize;
    let more = rows.len() > max;
    rows.truncate(max);
    let last = rows.last().filter(|_| more);
    let next = last.map(|(_, entry)| VersionMarker {
        key: entry.key().as_str().to_owned(),
        generation: Some(entry.generation()),
    });
    // The newest version of the marker's key was on an earlier page.
    let mut key = older_than.map(|_| query.after.key.clone());
    let versions = rows.into_iter().map(|(version, entry)| {
        let is_latest = key.as_deref() != Some(entry.key().as_str());
        if is_latest {
            key = Some(entry.key().as_str().to_owned());
        }
        ListedVersion {
            version,
            is_latest,
            entry,
        }
    });
    VersionPage {
        versions: versions.collect(),
        next,
    }
}

/// The versions of the keys in `range`, and of the marker's key those that are older. Each part is read in the order of an
/// index up to the size of a page: a condition on both key and generation would read a key's versions from the newest on.
/// Generations are always above 0; on Postgres the index has that as its condition.
pub(crate) fn select_versions(
    query: &ListVersions,
    range: KeyRange,
    older_than: Option<Generation>,
) -> Statement {
    let list = VersionExcerpt::select_list("o");
    let tables = [
        (ObjectRow::TABLE.name, "o.key"),
        (NoncurrentVersion::TABLE.name, "o.key, o.generation DESC"),
    ];
    let mut conditions = vec!["o.key >= $2 AND o.key < $3"];
    if older_than.is_some() {
        conditions.push("o.key = $5 AND o.generation < $6");
    }
    let mut parts = Vec::with_capacity(conditions.len() * tables.len());
    for condition in conditions {
        for (table, order) in tables {
            parts.push(format!(
                "SELECT * FROM (SELECT {list} FROM {table} o
                 WHERE o.bucket_id = $1 AND o.generation > 0 AND {condition}
                 ORDER BY {order} LIMIT $4) AS part"
            ));
        }
    }
    let statement = Statement::built(parts.join(" UNION ALL "))
        .bind(query.bucket.0)
        .bind(range.start)
        .bind(range.end)
        .bind(super::one_more(query.max));
    match older_than {
        Some(generation) => statement
            .bind(query.after.key.as_bytes())
            .bind(generation.0),
        None => statement,
    }
}
