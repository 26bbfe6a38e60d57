//! What CopyObject and UploadPartCopy share: finding the source and judging its conditions.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bucketry_contract::v1::CopySource;
use futures::TryStreamExt;

use crate::blobs::ActiveRead;
use crate::catalog::model::{Extent, ObjectData, StoredObject};
use crate::convert::{bucket_name, no_version, object_key, read_conditions};
use crate::digest::{DigestSet, DigestTask, DigestValues};
use crate::error::{Error, blob_error};
use crate::request::{BucketGrant, Service};
use crate::rules::read_conditions::{ConditionResult, Facts};

/// The number of attempts to copy a source that other requests keep replacing.
pub(super) const COPY_ATTEMPTS: u32 = 5;

/// A source that may be read.
pub(super) struct OpenSource {
    pub(super) stored: Arc<StoredObject>,
    pub(super) active: ActiveRead,
}

/// Finds the source. It must be in a bucket that the caller may read; a token's is its own bucket.
pub(super) async fn open_source(
    service: &Service,
    grant: &BucketGrant,
    source: Option<CopySource>,
) -> Result<OpenSource, Error> {
    let source = source.unwrap_or_default();
    let key = object_key(&source.key)?;
    bucket_name(&source.bucket)?;
    let bucket = service.admit_source(grant).await?;
    no_version(&source.key, &source.version_id)?;
    let conditions = read_conditions(source.precondition)?;
    let active = service.content.blobs.begin_read(Instant::now());
    let stored = service
        .catalog
        .object(bucket.id, &key)
        .await?
        .ok_or(Error::NoSuchKey { key: source.key })?;
    let etag = stored.row.meta.etag.text();
    let facts = Facts {
        etag: &etag,
        modified: stored.row.modified,
        generation: stored.row.generation,
    };
    match conditions.judge_source(facts) {
        ConditionResult::Holds => Ok(OpenSource { stored, active }),
        ConditionResult::NotModified => Err(Error::PreconditionFailed {
            condition: "copy source condition",
        }),
        ConditionResult::Failed(condition) => Err(Error::PreconditionFailed { condition }),
    }
}

impl OpenSource {
    /// Reads a range of the source for its digests: MD5 and one checksum. Nothing is written.
    pub(super) async fn digest(
        self,
        service: &Service,
        range: Range<u64>,
        set: DigestSet,
    ) -> Result<DigestValues, Error> {
        let mut digests = DigestTask::new(set);
        let interrupted = |error| Error::Unavailable(Box::new(error));
        match &self.stored.data {
            ObjectData::Empty => {}
            ObjectData::Inline(bytes) => {
                let piece = super::get_object::slice(bytes, range.start, range.end)?;
                digests.update(piece).await.map_err(interrupted)?;
            }
            ObjectData::Extents(layout) => {
                let mut blocks = service
                    .content
                    .blobs
                    .read(self.active, &layout.extents, range)
                    .map_err(blob_error)?;
                while let Some(block) = blocks.try_next().await.map_err(blob_error)? {
                    digests.update(block).await.map_err(interrupted)?;
                    // Local blocks are read inline: let others have the thread between them.
                    tokio::task::consume_budget().await;
                }
            }
        }
        digests.finish().await.map_err(interrupted)
    }
}

/// The pieces of `extents` that make the range; the range lies within them.
pub(super) fn cut(extents: &[Extent], range: &Range<u64>) -> Vec<Extent> {
    let mut position = 0;
    let mut pieces = Vec::new();
    for extent in extents {
        let (start, end) = (position, position + extent.length);
        position = end;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            pieces.push(Extent {
                blob: extent.blob,
                offset: extent.offset + (from - start),
                length: to - from,
            });
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BlobBatchId, BlobId};
    use proptest::prelude::*;

    fn extents(lengths: &[u64]) -> Vec<Extent> {
        lengths
            .iter()
            .zip(0u16..)
            .map(|(&length, index)| Extent {
                blob: BlobId {
                    batch: BlobBatchId(1),
                    index,
                },
                offset: u64::from(index) * 100,
                length,
            })
            .collect()
    }

    fn bytes(extents: &[Extent]) -> Vec<(u16, u64)> {
        extents
            .iter()
            .flat_map(|extent| {
                (extent.offset..extent.offset + extent.length).map(|at| (extent.blob.index, at))
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_cut_has_the_bytes_of_the_range(
            lengths in proptest::collection::vec(1u64..20, 1..6),
            ends in (0usize..80, 0usize..80),
        ) {
            let whole = extents(&lengths);
            let all = bytes(&whole);
            let (from, to) = (ends.0.min(ends.1).min(all.len()), ends.0.max(ends.1).min(all.len()));
            let pieces = cut(&whole, &(from as u64..to as u64));
            prop_assert_eq!(bytes(&pieces), all[from..to].to_vec());
        }
    }
}
