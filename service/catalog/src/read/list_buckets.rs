use std::sync::Arc;

use crate::listing::Scope;
use crate::model::Bucket;
use crate::query::{BucketPage, ListBuckets};
use crate::sql::{Record, Row, Statement};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Live buckets by name.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn list_buckets(&self, query: &ListBuckets) -> Result<BucketPage, CatalogError> {
        let list = Bucket::TABLE.select_list("o");
        let of_account = match query.account {
            Some(_) => "o.account_id = $4",
            None => "o.id >= $4",
        };
        let sql = format!(
            "SELECT {list} FROM buckets o WHERE o.state = 0 AND o.name >= $1 AND o.name < $2 AND {of_account}
             ORDER BY o.name LIMIT $3"
        );
        let after = query.after.as_ref().map_or("", |name| name.as_str());
        let range = Scope {
            prefix: &query.prefix,
            delimiter: "",
            after,
        }
        .range();
        let statement = Statement::built(sql)
            .bind(name_bound(&range.start))
            .bind(name_bound(&range.end))
            .bind(super::one_more(query.max))
            .bind(query.account.map_or(0, |account| account.0));
        let read = |row: &Row<'_>| Bucket::read(row).map(Arc::new);
        let buckets = self.engine().scan(statement, read).await?;
        Ok(super::cut(buckets, query.max))
    }
}

/// A bound for names, which are texts of `[a-z0-9.-]`. A NUL, which means "just after", becomes the least byte that texts
/// may hold everywhere; bytes above ASCII become `~`, above every name.
fn name_bound(bound: &[u8]) -> String {
    let least = |byte: &u8| match byte {
        0 => '\u{1}',
        1..=0x7e => char::from(*byte),
        _ => '~',
    };
    bound.iter().map(least).collect()
}
