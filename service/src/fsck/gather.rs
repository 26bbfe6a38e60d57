//! Reads what is to be compared. Some 80 bytes of memory a blob.

use std::collections::BTreeSet;

use futures::TryStreamExt;

use super::FsckError;
use crate::blobs::{BlobStore, StoredBlob};
use crate::catalog::model::{DataLayout, DataOwner, StatisticsDifference};
use crate::catalog::{Catalog, CatalogError};
use crate::domain::{BlobBatchId, BlobId, DataId};

/// Rows a page; layouts, which may have 200 KB each, come in smaller ones.
const PAGE: u32 = 10_000;
const LAYOUTS: u32 = 250;
/// Rows of data without an owner, owners without data, and buckets with wrong statistics that are named.
pub(super) const NAMED: u32 = 10_000;

/// That a row of data has bytes of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlobNeed {
    pub(super) blob: BlobId,
    pub(super) data: DataId,
    /// The blob must hold so many bytes of data at least.
    pub(super) end: u64,
}

/// What catalog and store say. All lists are in order.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) stored: Vec<StoredBlob>,
    /// From the layouts; one for each blob and row of data.
    pub(super) needs: Vec<BlobNeed>,
    pub(super) references: Vec<(BlobId, DataId)>,
    pub(super) reserved: BTreeSet<BlobBatchId>,
    pub(super) marked: Vec<BlobId>,
    pub(super) unreadable: Vec<DataId>,
    pub(super) ownerless: Vec<DataId>,
    pub(super) lost: Vec<DataOwner>,
    pub(super) statistics: Vec<StatisticsDifference>,
}

pub(super) async fn gather(catalog: &Catalog, blobs: &BlobStore) -> Result<Seen, FsckError> {
    // The store first: what is written and committed meanwhile is then unknown rather than missing.
    let mut stored: Vec<StoredBlob> = blobs.list().try_collect().await?;
    stored.sort_unstable_by_key(|blob| blob.id);
    let mut seen = Seen {
        stored,
        ..Seen::default()
    };
    layouts(catalog, &mut seen).await?;
    seen.references = pages(async |after| catalog.list_blob_refs(after, PAGE).await).await?;
    seen.reserved = pages(async |after| catalog.list_blob_batches(after, PAGE).await)
        .await?
        .into_iter()
        .collect();
    seen.marked = pages(async |after| catalog.list_marked_blobs(after, PAGE).await).await?;
    seen.ownerless = catalog.list_ownerless_data(NAMED).await?;
    seen.lost = catalog.list_lost_data(NAMED).await?;
    seen.statistics = catalog.recount(NAMED).await?;
    Ok(seen)
}

async fn layouts(catalog: &Catalog, seen: &mut Seen) -> Result<(), CatalogError> {
    let mut after = None;
    loop {
        let page = catalog.list_layouts(after, LAYOUTS).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.data);
        for DataLayout { data, extents } in page {
            match extents {
                Some(extents) => seen.needs.extend(extents.iter().map(|extent| BlobNeed {
                    blob: extent.blob,
                    data,
                    end: extent.offset.saturating_add(extent.length),
                })),
                None => seen.unreadable.push(data),
            }
        }
    }
    seen.needs.sort_unstable();
    // Of several extents of one blob the last is the one that reaches furthest.
    seen.needs.reverse();
    seen.needs.dedup_by_key(|need| (need.blob, need.data));
    seen.needs.reverse();
    Ok(())
}

/// All rows of a question that is asked page by page.
async fn pages<T: Copy>(
    ask: impl AsyncFn(Option<T>) -> Result<Vec<T>, CatalogError>,
) -> Result<Vec<T>, CatalogError> {
    let mut all = Vec::new();
    loop {
        let page = ask(all.last().copied()).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
