//! A second look at what seemed wrong: a node may have changed it between two lists.

use super::FsckError;
use super::compare::{Findings, judge};
use super::report::Problem;
use crate::blobs::{BlobError, BlobStore};
use crate::catalog::Catalog;
use crate::domain::{BlobId, DataId};

/// Blobs that are asked for at a time.
const CHUNK: usize = 1000;

pub(super) async fn confirm(
    findings: &mut Findings,
    catalog: &Catalog,
    blobs: &BlobStore,
) -> Result<(), FsckError> {
    let suspects = std::mem::take(&mut findings.suspects);
    for (blob, end) in suspects {
        let problem = match blobs.stat(blob).await {
            Ok(found) => judge(blob, end, found),
            Err(BlobError::NotAFile { .. }) => Some(Problem::BlobNotAFile { blob }),
            Err(error) => return Err(error.into()),
        };
        if let Some(problem) = problem
            && is_referenced(catalog, blob).await?
        {
            findings.problems.push(problem);
        }
    }
    let candidates = std::mem::take(&mut findings.orphans);
    for chunk in candidates.chunks(CHUNK) {
        let ids: Vec<BlobId> = chunk.iter().map(|orphan| orphan.id).collect();
        let explained = catalog.explained_blobs(&ids).await?;
        for orphan in chunk
            .iter()
            .filter(|orphan| !explained.contains(&orphan.id))
        {
            if blobs.stat(orphan.id).await?.is_some() {
                findings.orphans.push(*orphan);
            }
        }
    }
    let problems = std::mem::take(&mut findings.problems);
    for problem in problems {
        if still_holds(catalog, &problem).await? {
            findings.problems.push(problem);
        }
    }
    Ok(())
}

async fn is_referenced(catalog: &Catalog, blob: BlobId) -> Result<bool, FsckError> {
    Ok(!catalog.referenced_blobs(&[blob]).await?.is_empty())
}

/// Whether what the catalog said about itself was more than a commit between two pages.
async fn still_holds(catalog: &Catalog, problem: &Problem) -> Result<bool, FsckError> {
    match problem {
        Problem::ReferenceMissing { blob, data } => {
            Ok(needs(catalog, *blob, *data).await? && !refers(catalog, *blob, *data).await?)
        }
        Problem::ReferenceStale { blob, data } => {
            Ok(refers(catalog, *blob, *data).await? && !needs(catalog, *blob, *data).await?)
        }
        // Said by one statement, or looked at already.
        Problem::LayoutUnreadable { .. }
        | Problem::DataOwnerless { .. }
        | Problem::BlobMissing { .. }
        | Problem::BlobTooShort { .. }
        | Problem::BlobDamaged { .. }
        | Problem::BlobNotAFile { .. }
        | Problem::Orphan { .. }
        | Problem::StatisticsWrong { .. } => Ok(true),
    }
}

async fn refers(catalog: &Catalog, blob: BlobId, data: DataId) -> Result<bool, FsckError> {
    let before = DataId(data.0.saturating_sub(1));
    let next = catalog.list_blob_refs(Some((blob, before)), 1).await?;
    Ok(next.first() == Some(&(blob, data)))
}

async fn needs(catalog: &Catalog, blob: BlobId, data: DataId) -> Result<bool, FsckError> {
    let before = DataId(data.0.saturating_sub(1));
    let next = catalog.list_layouts(Some(before), 1).await?;
    Ok(next
        .iter()
        .filter(|layout| layout.data == data)
        .filter_map(|layout| layout.extents.as_ref())
        .flatten()
        .any(|extent| extent.blob == blob))
}
