//! What the lists of catalog and store come to. Values in, values out.

use std::collections::BTreeSet;

use super::gather::{BlobNeed, Seen};
use super::report::Problem;
use crate::blobs::{StoredBlob, physical_length};
use crate::catalog::model::{DataOwner, StatisticsDifference};
use crate::domain::{BlobId, DataId};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) stored: u64,
    pub(super) stored_bytes: u64,
    /// Blobs that something has bytes of.
    pub(super) referenced: u64,
    /// Blobs that nothing refers to, of reservations that stand.
    pub(super) reserved: u64,
    /// Blobs that nothing refers to and that are marked for the collector.
    pub(super) marked: u64,
    /// Blobs that nothing refers to and that no collector will ever find.
    pub(super) orphans: Vec<StoredBlob>,
    /// Blobs that are missing or too short, with the bytes of data that they must hold.
    pub(super) suspects: Vec<(BlobId, u64)>,
    pub(super) problems: Vec<Problem>,
    /// Rows of data that cannot be read whole.
    pub(super) broken: BTreeSet<DataId>,
    /// Objects whose row of data is gone.
    pub(super) lost: Vec<DataOwner>,
    pub(super) statistics: Vec<StatisticsDifference>,
}

pub(super) fn compare(seen: &Seen) -> Findings {
    let mut findings = Findings {
        stored: seen.stored.len() as u64,
        stored_bytes: seen.stored.iter().map(|blob| blob.physical_length).sum(),
        lost: seen.lost.clone(),
        statistics: seen.statistics.clone(),
        ..Findings::default()
    };
    compare_needs(seen, &mut findings);
    compare_references(seen, &mut findings);
    explain_rest(seen, &mut findings);
    for data in &seen.unreadable {
        findings.broken.insert(*data);
        findings
            .problems
            .push(Problem::LayoutUnreadable { data: *data });
    }
    for data in &seen.ownerless {
        findings
            .problems
            .push(Problem::DataOwnerless { data: *data });
    }
    findings
}

/// Every blob that has bytes of something must be there, and as long as the furthest of them.
fn compare_needs(seen: &Seen, findings: &mut Findings) {
    for needs in seen.needs.chunk_by(|a, b| a.blob == b.blob) {
        let Some(BlobNeed { blob, .. }) = needs.first().copied() else {
            continue;
        };
        findings.referenced += 1;
        let end = needs.iter().map(|need| need.end).max().unwrap_or(0);
        let found = seen
            .stored
            .binary_search_by_key(&blob, |stored| stored.id)
            .ok()
            .and_then(|place| seen.stored.get(place));
        if found
            .and_then(StoredBlob::length)
            .is_none_or(|length| length < end)
        {
            findings.suspects.push((blob, end));
            findings.broken.extend(needs.iter().map(|need| need.data));
        }
    }
}

/// References and layouts must say the same: the collector believes the references.
fn compare_references(seen: &Seen, findings: &mut Findings) {
    for BlobNeed { blob, data, .. } in &seen.needs {
        if seen.references.binary_search(&(*blob, *data)).is_err() {
            findings.problems.push(Problem::ReferenceMissing {
                blob: *blob,
                data: *data,
            });
        }
    }
    for (blob, data) in &seen.references {
        let needed = seen
            .needs
            .binary_search_by_key(&(*blob, *data), |need| (need.blob, need.data));
        if needed.is_err() && seen.unreadable.binary_search(data).is_err() {
            findings.problems.push(Problem::ReferenceStale {
                blob: *blob,
                data: *data,
            });
        }
    }
}

fn explain_rest(seen: &Seen, findings: &mut Findings) {
    for stored in &seen.stored {
        let referenced = seen
            .needs
            .binary_search_by_key(&stored.id, |need| need.blob)
            .is_ok()
            || seen
                .references
                .binary_search_by_key(&stored.id, |(blob, _)| *blob)
                .is_ok();
        if referenced {
            continue;
        }
        if seen.marked.binary_search(&stored.id).is_ok() {
            findings.marked += 1;
        } else if seen.reserved.contains(&stored.id.batch) {
            findings.reserved += 1;
        } else {
            findings.orphans.push(*stored);
        }
    }
}

/// What is wrong with a blob that must hold `end` bytes of data; nothing, if it does.
pub(super) fn judge(blob: BlobId, end: u64, found: Option<StoredBlob>) -> Option<Problem> {
    match found {
        None => Some(Problem::BlobMissing { blob }),
        Some(found) if found.length().is_none_or(|length| length < end) => {
            Some(Problem::BlobTooShort {
                blob,
                stored: found.physical_length,
                needed: physical_length(end),
            })
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BlobBatchId;

    fn stored(batch: i64, index: u16, length: u64) -> StoredBlob {
        StoredBlob {
            id: BlobId::new(batch, index),
            physical_length: physical_length(length),
            modified_micros: 0,
        }
    }

    fn need(batch: i64, index: u16, data: i64, end: u64) -> BlobNeed {
        BlobNeed {
            blob: BlobId::new(batch, index),
            data: DataId(data),
            end,
        }
    }

    /// Two blobs, one of them shared, with everything in order.
    fn sound() -> Seen {
        let needs = vec![need(1, 0, 10, 100), need(1, 1, 10, 50), need(1, 1, 11, 60)];
        Seen {
            stored: vec![stored(1, 0, 100), stored(1, 1, 60)],
            references: needs.iter().map(|need| (need.blob, need.data)).collect(),
            needs,
            ..Seen::default()
        }
    }

    #[test]
    fn a_sound_store_has_no_problems() {
        let findings = compare(&sound());
        assert_eq!(findings.referenced, 2);
        assert_eq!(findings.stored_bytes, 168);
        assert!(findings.problems.is_empty() && findings.suspects.is_empty());
        assert!(findings.orphans.is_empty() && findings.broken.is_empty());
    }

    #[test]
    fn missing_short_and_cut_blobs_are_suspects() {
        let missing = Seen {
            stored: vec![stored(1, 0, 100)],
            ..sound()
        };
        let findings = compare(&missing);
        assert_eq!(findings.suspects, [(BlobId::new(1, 1), 60)]);
        assert_eq!(
            findings.broken.into_iter().collect::<Vec<_>>(),
            [DataId(10), DataId(11)]
        );
        let mut cut = stored(1, 1, 60);
        cut.physical_length = 2;
        for wrong in [stored(1, 1, 59), cut] {
            let short = Seen {
                stored: vec![stored(1, 0, 100), wrong],
                ..sound()
            };
            assert_eq!(compare(&short).suspects, [(BlobId::new(1, 1), 60)]);
            assert!(matches!(
                judge(wrong.id, 60, Some(wrong)),
                Some(Problem::BlobTooShort { needed: 64, .. })
            ));
        }
        assert_eq!(judge(BlobId::new(1, 1), 60, Some(stored(1, 1, 61))), None);
        assert!(matches!(
            judge(BlobId::new(1, 1), 60, None),
            Some(Problem::BlobMissing { .. })
        ));
    }

    #[test]
    fn references_that_differ_from_the_layouts_are_told() {
        let mut seen = sound();
        seen.references.pop();
        seen.references.push((BlobId::new(2, 0), DataId(12)));
        let missing = Problem::ReferenceMissing {
            blob: BlobId::new(1, 1),
            data: DataId(11),
        };
        let stale = Problem::ReferenceStale {
            blob: BlobId::new(2, 0),
            data: DataId(12),
        };
        assert_eq!(compare(&seen).problems, [missing, stale]);
    }

    #[test]
    fn what_nothing_refers_to_is_explained_or_an_orphan() {
        let mut seen = sound();
        seen.stored
            .extend([stored(2, 0, 1), stored(2, 1, 1), stored(3, 7, 1)]);
        seen.reserved.insert(BlobBatchId(2));
        seen.marked.push(BlobId::new(2, 1));
        let findings = compare(&seen);
        assert_eq!((findings.reserved, findings.marked), (1, 1));
        assert_eq!(findings.orphans, [stored(3, 7, 1)]);
        assert_eq!(findings.referenced, 2);
    }

    #[test]
    fn data_that_cannot_be_read_or_has_no_owner_is_told() {
        let mut seen = sound();
        seen.unreadable.push(DataId(20));
        seen.ownerless.push(DataId(21));
        // What an unreadable layout refers to is not stale.
        seen.references.push((BlobId::new(4, 0), DataId(20)));
        let findings = compare(&seen);
        assert_eq!(
            findings.problems,
            [
                Problem::LayoutUnreadable { data: DataId(20) },
                Problem::DataOwnerless { data: DataId(21) }
            ]
        );
        assert!(findings.broken.contains(&DataId(20)));
    }
}
