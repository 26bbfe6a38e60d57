//! Reads every referenced blob, so that each block's checksum is compared.

use std::time::Instant;

use bucketry_edge::task;
use futures::{StreamExt, TryStreamExt};

use super::FsckError;
use super::compare::Findings;
use super::gather::{BlobNeed, Seen};
use super::report::Problem;
use crate::blobs::{BlobError, BlobStore};
use crate::catalog::Catalog;
use crate::catalog::model::Extent;
use crate::domain::BlobId;

/// Blobs that are read at a time.
const PARALLEL: usize = 4;

/// Answers how many bytes of data were read.
pub(super) async fn verify(
    seen: &Seen,
    findings: &mut Findings,
    catalog: &Catalog,
    blobs: &BlobStore,
) -> Result<u64, FsckError> {
    let needed = seen.stored.iter().filter_map(|stored| {
        let length = stored.length()?;
        let needed = seen
            .needs
            .binary_search_by_key(&stored.id, |need| need.blob);
        needed.is_ok().then_some((stored.id, length))
    });
    let mut reads = futures::stream::iter(needed)
        .map(|(blob, length)| task::spawn("verify_blob", read(blobs.clone(), blob, length)))
        .buffer_unordered(PARALLEL);
    let mut bytes = 0;
    while let Some(read) = reads.next().await {
        match read.map_err(|_| FsckError::Interrupted)? {
            Ok(length) => bytes += length,
            Err(BlobError::Corrupt { id, block }) => {
                findings.broken.extend(data_of(seen, id));
                findings
                    .problems
                    .push(Problem::BlobDamaged { blob: id, block });
            }
            Err(BlobError::NotFound { id }) => {
                // Deleted since it was listed, unless something still refers to it.
                if !catalog.referenced_blobs(&[id]).await?.is_empty() {
                    findings.broken.extend(data_of(seen, id));
                    findings.problems.push(Problem::BlobMissing { blob: id });
                }
            }
            Err(BlobError::NotAFile { id }) => {
                findings.broken.extend(data_of(seen, id));
                findings.problems.push(Problem::BlobNotAFile { blob: id });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

fn data_of(seen: &Seen, blob: BlobId) -> impl Iterator<Item = crate::domain::DataId> {
    let from = seen.needs.partition_point(|need| need.blob < blob);
    seen.needs
        .iter()
        .skip(from)
        .take_while(move |need| need.blob == blob)
        .map(|need: &BlobNeed| need.data)
}

async fn read(blobs: BlobStore, blob: BlobId, length: u64) -> Result<u64, BlobError> {
    // No collector of this process waits for reads.
    let active = blobs.begin_read(Instant::now());
    let extent = Extent {
        blob,
        offset: 0,
        length,
    };
    blobs
        .read(active, &[extent], 0..length)?
        .try_fold(0, async |bytes, chunk| Ok(bytes + chunk.len() as u64))
        .await
}
