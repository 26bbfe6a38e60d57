//! What the operator reads.

use std::fmt::Display;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::FsckError;
use super::compare::Findings;
use crate::catalog::Catalog;
use crate::catalog::model::{DataOwner, StatisticsDifference};
use crate::domain::{BlobId, DataId};

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Problem {
    /// The store has not what something refers to.
    #[error("blob {blob} is missing")]
    BlobMissing {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
    },
    /// The blob is cut, or shorter than what something reads of it. Lengths in bytes, checksums included.
    #[error("blob {blob} has {stored} bytes and needs {needed}")]
    BlobTooShort {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
        /// What the store has.
        stored: u64,
        /// What there must be at least.
        needed: u64,
    },
    /// A block does not match its checksum.
    #[error("block {block} of blob {blob} is damaged")]
    BlobDamaged {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
        /// The number of the first damaged block, from 0.
        block: u64,
    },
    /// The blob's path is a link, a pipe or another kind of file that is not regular.
    #[error("blob {blob} is damaged: its file is not a regular file")]
    BlobNotAFile {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
    },
    /// Data lies in a blob without the reference that keeps the blob.
    #[error(
        "blob {blob} is in use by data {data} without a reference: the collector may delete it"
    )]
    ReferenceMissing {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
        /// The row of data.
        data: DataId,
    },
    /// A reference keeps a blob that the data does not lie in.
    #[error("blob {blob} is kept for data {data}, which does not use it")]
    ReferenceStale {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
        /// The row of data.
        data: DataId,
    },
    /// A list of extents cannot be read.
    #[error("the extents of data {data} cannot be read")]
    LayoutUnreadable {
        /// The row of data.
        data: DataId,
    },
    /// Nothing has this data.
    #[error("data {data} belongs to no object")]
    DataOwnerless {
        /// The row of data.
        data: DataId,
    },
    /// A blob that nothing refers to and that no collector finds.
    #[error("blob {blob} ({bytes} bytes) is an orphan: --collect deletes it")]
    Orphan {
        /// The blob.
        #[serde(serialize_with = "text")]
        blob: BlobId,
        /// What it takes up.
        bytes: u64,
    },
    /// The statistics of a bucket do not agree with its objects.
    #[error(
        "bucket {bucket} has {objects} objects of {bytes} bytes, and its statistics say {recorded_objects} of \
         {recorded_bytes}: --collect corrects them"
    )]
    #[serde(rename_all = "camelCase")]
    StatisticsWrong {
        /// The bucket's name.
        bucket: String,
        /// Its objects.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// The number of objects by the statistics.
        recorded_objects: i64,
        /// The bytes by the statistics.
        recorded_bytes: i64,
    },
}

/// An object, or an upload, that cannot be read whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The bucket's name.
    pub bucket: String,
    /// The key.
    pub key: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FsckReport {
    /// The store's id.
    pub store_id: String,
    /// Blobs in the store, before anything was deleted.
    pub blobs: u64,
    /// What they take up, in bytes.
    pub bytes: u64,
    /// Blobs that objects and parts lie in.
    pub referenced: u64,
    /// Blobs of unfinished uploads, and of uploads that a crash has ended: the collector takes these.
    pub reserved: u64,
    /// Blobs whose last reference went: the collector takes them after the grace delay.
    pub garbage: u64,
    /// Bytes that were read and compared with their checksums; absent if contents were not looked at.
    pub verified_bytes: Option<u64>,
    /// Blobs that were deleted; absent if none were to be.
    pub deleted: Option<u64>,
    /// Buckets whose statistics were wrong and have been corrected; absent if none were to be.
    pub corrected: Option<u64>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The objects that it hits.
    pub broken: Vec<Broken>,
}

/// What was mended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mended {
    /// Blobs that were deleted.
    pub(super) deleted: u64,
    /// Buckets whose statistics were corrected.
    pub(super) corrected: u64,
}

pub(super) async fn report(
    findings: Findings,
    verified_bytes: Option<u64>,
    mended: Option<Mended>,
    catalog: &Catalog,
) -> Result<FsckReport, FsckError> {
    let mut problems = findings.problems;
    problems.extend(findings.orphans.iter().map(|orphan| Problem::Orphan {
        blob: orphan.id,
        bytes: orphan.physical_length,
    }));
    problems.extend(findings.statistics.into_iter().map(Problem::from));
    let damaged: Vec<DataId> = findings.broken.into_iter().collect();
    let mut owners = if damaged.is_empty() || problems.is_empty() {
        Vec::new()
    } else {
        catalog.owners_of_data(&damaged).await?
    };
    owners.extend(findings.lost);
    Ok(FsckReport {
        store_id: catalog.store_id().to_owned(),
        blobs: findings.stored,
        bytes: findings.stored_bytes,
        referenced: findings.referenced,
        reserved: findings.reserved,
        garbage: findings.marked,
        verified_bytes,
        deleted: mended.map(|mended| mended.deleted),
        corrected: mended.map(|mended| mended.corrected),
        problems,
        broken: owners.into_iter().map(Broken::from).collect(),
    })
}

impl From<DataOwner> for Broken {
    fn from(owner: DataOwner) -> Self {
        Self {
            bucket: owner.bucket,
            key: owner.key,
        }
    }
}

impl From<StatisticsDifference> for Problem {
    fn from(difference: StatisticsDifference) -> Self {
        Self::StatisticsWrong {
            bucket: difference.name,
            objects: difference.counted.objects,
            bytes: difference.counted.bytes,
            recorded_objects: difference.recorded_objects,
            recorded_bytes: difference.recorded_bytes,
        }
    }
}

impl FsckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.broken.is_empty()
    }

    /// For people.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "store {}", self.store_id)?;
        writeln!(out, "{} blobs, {} bytes", self.blobs, self.bytes)?;
        writeln!(
            out,
            "{} referenced, {} of unfinished uploads, {} to be collected",
            self.referenced, self.reserved, self.garbage
        )?;
        if let Some(bytes) = self.verified_bytes {
            writeln!(out, "{bytes} bytes read and compared with their checksums")?;
        }
        if let Some(deleted) = self.deleted {
            writeln!(out, "{deleted} blobs deleted")?;
        }
        if let Some(corrected @ 1..) = self.corrected {
            writeln!(out, "statistics of {corrected} buckets corrected")?;
        }
        for problem in &self.problems {
            writeln!(out, "problem: {problem}")?;
        }
        for Broken { bucket, key } in &self.broken {
            // A key may hold anything, line feeds too.
            writeln!(out, "broken: {bucket}/{}", key.escape_debug())?;
        }
        match self.problems.len().max(self.broken.len()) {
            0 => writeln!(out, "clean"),
            count => writeln!(out, "{count} problems"),
        }
    }
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
