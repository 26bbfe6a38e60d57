use super::codes::{checksum, etag, size, stored_size};
use crate::catalog::CatalogError;
use crate::catalog::model::Part;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{DataId, Timestamp, UploadId};

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
            self.part.checksum.map(|checksum| checksum.pack()).into(),
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
    Ok(Part {
        number: u16::try_from(row.int(1)?).map_err(|_| CatalogError::Corrupt("parts.number"))?,
        size: size(row.int(2)?, "parts.size")?,
        etag: etag(&row.text(3)?, "parts.etag")?,
        modified: Timestamp::from_micros(row.int(4)?),
        checksum: checksum(row.opt_bytes(5)?, "parts.checksum")?,
        data_id: DataId(row.int(6)?),
    })
}
