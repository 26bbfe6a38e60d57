//! Where the bytes of an object lie.

use std::ops::Range;

use bucketry_catalog::model::Extent;

/// A range that is not inside the extents it was asked of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes {start}..{end} of extents that hold {total}")]
pub struct RangeOutside {
    /// The first byte asked for.
    pub start: u64,
    /// The byte after the last one asked for.
    pub end: u64,
    /// How many bytes the extents hold.
    pub total: u64,
}

/// The extents that hold `range` of the bytes of `extents`. Empty extents are dropped.
pub(super) fn slice_extents(
    extents: &[Extent],
    range: &Range<u64>,
) -> Result<Vec<Extent>, RangeOutside> {
    let mut slices = Vec::with_capacity(extents.len().min(16));
    let mut start = 0_u64;
    for extent in extents {
        // Sums of stored lengths: saturated, damage in the catalog cannot wrap into a valid range.
        let end = start.saturating_add(extent.length);
        let from = range.start.max(start);
        let to = range.end.min(end);
        if from < to {
            slices.push(Extent {
                blob: extent.blob,
                offset: extent.offset.saturating_add(from - start),
                length: to - from,
            });
        }
        start = end;
    }
    if range.start > range.end || range.end > start {
        return Err(RangeOutside {
            start: range.start,
            end: range.end,
            total: start,
        });
    }
    Ok(slices)
}

/// `extent` cut at the multiples of `alignment` (in bytes of the blob's data).
pub(super) fn split_aligned(extent: Extent, alignment: u64) -> impl Iterator<Item = Extent> {
    let mut rest = extent;
    std::iter::from_fn(move || {
        if rest.length == 0 {
            return None;
        }
        let length = rest.length.min(alignment - rest.offset % alignment);
        let part = Extent { length, ..rest };
        rest.offset = rest.offset.saturating_add(length);
        rest.length -= length;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use bucketry_domain::BlobId;

    fn any_extents() -> impl Strategy<Value = Vec<Extent>> {
        let extent = (0_i64..4, 0_u64..50, 0_u64..20).prop_map(|(batch, offset, length)| Extent {
            blob: BlobId::new(batch, 0),
            offset,
            length,
        });
        prop::collection::vec(extent, 0..6)
    }

    /// Every byte as the place where it lies.
    fn places(extents: &[Extent]) -> Vec<(BlobId, u64)> {
        extents
            .iter()
            .flat_map(|e| (e.offset..e.offset + e.length).map(|offset| (e.blob, offset)))
            .collect()
    }

    proptest! {
        #[test]
        fn a_slice_holds_the_same_bytes(extents in any_extents(), a in 0_u64..130, b in 0_u64..130) {
            let places_of_all = places(&extents);
            let sliced = slice_extents(&extents, &(a..b));
            match places_of_all.get(a as usize..b as usize) {
                Some(expected) => prop_assert_eq!(places(&sliced.unwrap()), expected),
                None => prop_assert!(sliced.is_err()),
            }
        }

        #[test]
        fn aligned_parts_hold_the_same_bytes(offset in 0_u64..100, length in 0_u64..100, alignment in 1_u64..40) {
            let extent = Extent { blob: BlobId::new(1, 1), offset, length };
            let parts: Vec<Extent> = split_aligned(extent, alignment).collect();
            prop_assert_eq!(places(&parts), places(&[extent]));
            for part in &parts {
                prop_assert_eq!(part.offset / alignment, (part.offset + part.length - 1) / alignment);
            }
        }
    }

    #[test]
    fn damaged_lengths_do_not_wrap() {
        let huge = Extent {
            blob: BlobId::new(1, 1),
            offset: u64::MAX - 1,
            length: u64::MAX,
        };
        assert!(slice_extents(&[huge, huge], &(0..10)).is_ok());
        assert_eq!(
            slice_extents(&[], &(0..1)),
            Err(RangeOutside {
                start: 0,
                end: 1,
                total: 0
            })
        );
    }
}
