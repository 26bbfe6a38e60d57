use super::codes::{self, stored_size};
use crate::CatalogError;
use crate::model::Part;
use crate::sql::record;
use bucketry_domain::{Checksum, DataId, Timestamp, UploadId};

/// A row of `parts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRow {
    pub(crate) upload: UploadId,
    pub(crate) part: Part,
}

record! {
    PartRow, table "parts", key 2, stored from row {
        upload_id: &[u8] = row.upload.as_bytes().as_slice(),
        number: i64 = i64::from(row.part.number),
        size: i64 = stored_size(row.part.size),
        etag: &str = row.part.etag.to_string(),
        modified: i64 = row.part.modified.as_micros(),
        checksum: Option<&[u8]> = pack_checksums(&row.part),
        data_id: i64 = row.part.data_id.0,
    }
    read as {
        let (checksum, object_crc) = match checksum {
            Some(packed) => unpack_checksums(packed)?,
            None => (None, None),
        };
        Self {
            upload: super::upload::upload_id(upload_id)?,
            part: Part {
                number: u16::try_from(number).map_err(|_| CatalogError::Corrupt("parts.number"))?,
                size: codes::size(size, "parts.size")?,
                etag: codes::etag(etag, "parts.etag")?,
                modified: Timestamp::from_micros(modified),
                checksum,
                object_crc,
                data_id: DataId(data_id),
            },
        }
    }
}

/// The part's own checksum, followed by the one for the object if there is one.
fn pack_checksums(part: &Part) -> Option<Vec<u8>> {
    let own = part.checksum?.pack();
    Some(match part.object_crc {
        Some(object) => [own, object.pack()].concat(),
        None => own,
    })
}

fn unpack_checksums(packed: &[u8]) -> Result<(Option<Checksum>, Option<Checksum>), CatalogError> {
    let corrupt = |_| CatalogError::Corrupt("parts.checksum");
    let (own, rest) = Checksum::unpack_first(packed).map_err(corrupt)?;
    let object = match rest {
        [] => None,
        rest => Some(Checksum::unpack(rest).map_err(corrupt)?),
    };
    Ok((Some(own), object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bucketry_domain::{ChecksumAlgorithm, ChecksumType, ETag};

    #[test]
    fn one_or_two_checksums_of_any_length() {
        let value = |algorithm: ChecksumAlgorithm| {
            let bytes = vec![7; algorithm.byte_length()];
            Checksum::new(algorithm, ChecksumType::FullObject, &bytes).ok()
        };
        let object = value(ChecksumAlgorithm::Crc64Nvme);
        for own in ChecksumAlgorithm::ALL.map(value) {
            for object_crc in [None, object] {
                let part = Part {
                    number: 1,
                    size: 1,
                    etag: ETag::of_content([1; 16]),
                    modified: Timestamp::EPOCH,
                    checksum: own,
                    object_crc,
                    data_id: DataId(1),
                };
                let packed = pack_checksums(&part).unwrap();
                assert_eq!(unpack_checksums(&packed).unwrap(), (own, object_crc));
                assert!(unpack_checksums(&packed[1..]).is_err());
                assert!(unpack_checksums(&packed[..packed.len() - 1]).is_err());
            }
        }
    }
}
