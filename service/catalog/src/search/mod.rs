//! Searches by a part of the key, and objects in the order of their size or time. There is no index for either: a search
//! looks at the keys of a range one after the other, within bounds, and says how far it came.

mod best;
mod needle;
mod postgres;
mod run;
mod sqlite;

#[cfg(test)]
pub(crate) use postgres::CHUNK;
#[cfg(test)]
pub(crate) use sqlite::LOOKS_AT_CLOCK;

use std::time::Duration;

use bucketry_domain::BucketId;

use crate::listing::{KeyRange, Scope};
use crate::query::ListedObject;
use crate::sql::Pools;
use crate::{Catalog, CatalogError};

/// Searches the current versions of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchObjects {
    /// The bucket.
    pub bucket: BucketId,
    /// Only keys that begin with this.
    pub prefix: String,
    /// Only keys that contain this; empty: all.
    pub contains: String,
    /// How `contains` is compared.
    pub letter_case: LetterCase,
    /// What the objects are sorted by.
    pub order: SearchOrder,
    /// Whether from the least or from the greatest.
    pub direction: SearchDirection,
    /// Only objects after this place; absent: from the start.
    pub after: Option<SearchPosition>,
    /// At most this many objects.
    pub max: u32,
    /// How much is looked at.
    pub bounds: SearchBounds,
}

/// Whether upper and lower case are different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterCase {
    /// They are.
    Exact,
    /// ASCII letters match both.
    Ignored,
}

/// What found objects are sorted by. Equal ones are sorted by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchOrder {
    /// The key, by its bytes.
    Key,
    /// Bytes of content.
    Size,
    /// When the current version was made.
    Modified,
}

/// The direction of an order, also among equal sizes and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchDirection {
    /// From the least.
    Ascending,
    /// From the greatest.
    Descending,
}

/// A place in the result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPosition {
    /// The size or time in the search's order; 0 in key order.
    pub value: i64,
    /// The key at the place, which need not have an object.
    pub key: String,
    /// Only keys below this belong to the result, if an earlier page reached its bound there.
    pub end: Option<String>,
}

/// How much a page of a search looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchBounds {
    /// At most this many keys.
    pub keys: u64,
    /// For about this long.
    pub time: Duration,
}

/// A page of found objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// Objects in order.
    pub objects: Vec<ListedObject>,
    /// Where the next page begins ([`SearchObjects::after`]); absent if there is no more.
    pub next: Option<SearchPosition>,
    /// How many keys were looked at.
    pub scanned: u64,
    /// Whether those were all that can be on the page.
    pub coverage: SearchCoverage,
}

/// Whether a search looked at every key that can be on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchCoverage {
    /// It did.
    Complete,
    /// It ended at its bounds. In key order the next page goes on there; in another order there may be objects that belong
    /// before those found.
    Bounded,
}

impl Catalog {
    /// A page of objects whose keys contain a text, in some order. On SQLite it is read on a thread that may block, and ends
    /// when the caller gives up; on Postgres, in statements that are short each.
    ///
    /// # Errors
    /// [`CatalogError`] if the database fails.
    pub async fn search_objects(&self, query: &SearchObjects) -> Result<SearchPage, CatalogError> {
        let range = query.range();
        if query.max == 0 || range.is_empty() {
            return Ok(SearchPage {
                objects: Vec::new(),
                next: None,
                scanned: 0,
                coverage: SearchCoverage::Complete,
            });
        }
        match &self.engine().pools {
            Pools::Sqlite(sqlite) => sqlite::search(sqlite, query, range).await,
            Pools::Postgres(_) => postgres::search(self.engine(), query, range).await,
        }
    }
}

impl SearchObjects {
    /// The keys to look at.
    pub(crate) fn range(&self) -> KeyRange {
        let place = self.after.as_ref();
        let (after, below) = match (self.order, self.direction) {
            (SearchOrder::Key, SearchDirection::Ascending) => (place, None),
            (SearchOrder::Key, SearchDirection::Descending) => (None, place.map(|at| &at.key)),
            (SearchOrder::Size | SearchOrder::Modified, _) => {
                (None, place.and_then(|at| at.end.as_ref()))
            }
        };
        let scope = Scope {
            prefix: &self.prefix,
            delimiter: "",
            after: after.map_or("", |at| &at.key),
        };
        let range = scope.range();
        match below {
            Some(below) if below.as_bytes() < range.end.as_slice() => KeyRange {
                end: below.clone().into_bytes(),
                ..range
            },
            Some(_) | None => range,
        }
    }

    /// The column of the order; in key order, a constant.
    const fn value_column(&self) -> &'static str {
        match self.order {
            SearchOrder::Key => "CAST(0 AS BIGINT)",
            SearchOrder::Size => "o.size",
            SearchOrder::Modified => "o.modified",
        }
    }

    /// The direction in which the keys are looked at.
    const fn key_direction(&self) -> SearchDirection {
        match self.order {
            SearchOrder::Key => self.direction,
            SearchOrder::Size | SearchOrder::Modified => SearchDirection::Ascending,
        }
    }
}

impl SearchDirection {
    const fn sql(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }
}
