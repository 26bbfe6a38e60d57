use super::codes::{etag, size, stored_size};
use crate::catalog::CatalogError;
use crate::catalog::model::Part;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{Checksum, DataId, Timestamp, UploadId};

/// A row of `parts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRow {
    pub(crate) upload: UploadId,
    pub(crate) part: Part,
}

impl Record for PartRow {
    const TABLE: Table = Table {
        name: "parts",
        columns: &[
            ("upload_id", Kind::Bytes),
            ("number", Kind::Int),
            ("size", Kind::Int),
            ("etag", Kind::Text),
            ("modified", Kind::Int),
            ("checksum", Kind::Bytes),
            ("data_id", Kind::Int),
        ],
        key: 2,
    };

    fn values(&self) -> Vec<Value> {
        vec![
            self.upload.as_bytes().as_slice().into(),
            i64::from(self.part.number).into(),
            stored_size(self.part.size).into(),
            self.part.etag.to_string().into(),
            self.part.modified.as_micros().into(),
            pack_checksums(&self.part).into(),
            self.part.data_id.0.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            upload: super::upload::read_upload_id(row, 0)?,
            part: read_part(row)?,
        })
    }
}

/// Reads the part of a row that was selected with the columns of `parts` first.
pub(crate) fn read_part(row: &Row) -> Result<Part, CatalogError> {
    let (checksum, object_crc) = match row.opt_bytes(5)? {
        Some(packed) => unpack_checksums(&packed)?,
        None => (None, None),
    };
    Ok(Part {
        number: u16::try_from(row.int(1)?).map_err(|_| CatalogError::Corrupt("parts.number"))?,
        size: size(row.int(2)?, "parts.size")?,
        etag: etag(&row.text(3)?, "parts.etag")?,
        modified: Timestamp::from_micros(row.int(4)?),
        checksum,
        object_crc,
        data_id: DataId(row.int(6)?),
    })
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
    use crate::domain::{ChecksumAlgorithm, ChecksumType, ETag};

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
