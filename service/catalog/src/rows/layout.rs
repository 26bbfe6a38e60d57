//! The packed form of a layout: a version byte, then LEB128 numbers. 10,000 parts take some 200 KB.

use crate::CatalogError;
use crate::model::{Extent, Layout, PartLayout};
use bucketry_domain::{BlobId, Checksum};

const VERSION: u8 = 1;
const CORRUPT: CatalogError = CatalogError::Corrupt("object_data.layout");

pub(crate) fn pack_layout(layout: &Layout) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + layout.extents.len() * 16 + layout.parts.len() * 48);
    out.push(VERSION);
    put(&mut out, layout.extents.len() as u64);
    for extent in &layout.extents {
        put(&mut out, extent.blob.to_i64() as u64);
        put(&mut out, extent.offset);
        put(&mut out, extent.length);
    }
    put(&mut out, layout.parts.len() as u64);
    for part in &layout.parts {
        let checksum = part
            .checksum
            .map(|checksum| checksum.pack())
            .unwrap_or_default();
        put(&mut out, u64::from(part.number));
        put(&mut out, part.size);
        put(&mut out, checksum.len() as u64);
        out.extend_from_slice(&checksum);
    }
    out
}

pub(crate) fn unpack_layout(packed: &[u8]) -> Result<Layout, CatalogError> {
    let [VERSION, rest @ ..] = packed else {
        return Err(CORRUPT);
    };
    let mut rest = rest;
    let mut layout = Layout::default();
    for _ in 0..take(&mut rest)? {
        let blob = BlobId::from_i64(i64::try_from(take(&mut rest)?).map_err(|_| CORRUPT)?);
        layout.extents.push(Extent {
            blob,
            offset: take(&mut rest)?,
            length: take(&mut rest)?,
        });
    }
    for _ in 0..take(&mut rest)? {
        let number = u16::try_from(take(&mut rest)?).map_err(|_| CORRUPT)?;
        let size = take(&mut rest)?;
        let length = usize::try_from(take(&mut rest)?).map_err(|_| CORRUPT)?;
        let (checksum, after) = rest.split_at_checked(length).ok_or(CORRUPT)?;
        let checksum = match checksum {
            [] => None,
            packed => Some(Checksum::unpack(packed).map_err(|_| CORRUPT)?),
        };
        rest = after;
        layout.parts.push(PartLayout {
            number,
            size,
            checksum,
        });
    }
    if rest.is_empty() {
        Ok(layout)
    } else {
        Err(CORRUPT)
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Result<u64, CatalogError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte, after @ ..] = *rest else {
            return Err(CORRUPT);
        };
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if shift == 63 && bits > 1 {
            return Err(CORRUPT);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(CORRUPT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_domain::{BlobBatchId, ChecksumAlgorithm, ChecksumType};
    use proptest::prelude::*;

    fn extent() -> impl Strategy<Value = Extent> {
        (0i64..1 << 50, 0u16..1024, any::<u64>(), any::<u64>()).prop_map(
            |(batch, index, offset, length)| Extent {
                blob: BlobId {
                    batch: BlobBatchId(batch),
                    index,
                },
                offset,
                length,
            },
        )
    }

    fn part() -> impl Strategy<Value = PartLayout> {
        (
            any::<u16>(),
            any::<u64>(),
            proptest::option::of(any::<[u8; 32]>()),
        )
            .prop_map(|(number, size, sum)| PartLayout {
                number,
                size,
                checksum: sum.and_then(|sum| {
                    Checksum::new(ChecksumAlgorithm::Sha256, ChecksumType::FullObject, &sum).ok()
                }),
            })
    }

    proptest! {
        #[test]
        fn round_trip(
            extents in proptest::collection::vec(extent(), 0..20),
            parts in proptest::collection::vec(part(), 0..20),
        ) {
            let layout = Layout { extents, parts };
            prop_assert_eq!(unpack_layout(&pack_layout(&layout)).ok(), Some(layout));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(layout) = unpack_layout(&bytes) {
                prop_assert_eq!(unpack_layout(&pack_layout(&layout)).ok(), Some(layout));
            }
        }
    }
}
