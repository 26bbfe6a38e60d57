use crate::catalog::CatalogError;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{BucketId, BucketSetting, BucketSettings, Generation};

/// One setting of a bucket. Each has a row of its own: an edit of one rewrites no other.
#[derive(Debug)]
pub(crate) struct SettingRow {
    pub(crate) bucket: BucketId,
    setting: BucketSetting,
    /// JSON.
    value: String,
    version: Generation,
}

impl SettingRow {
    /// The row of a setting; none: it is not set.
    pub(crate) fn of(
        bucket: BucketId,
        settings: &BucketSettings,
        setting: BucketSetting,
    ) -> Option<Self> {
        let (value, version) = settings.stored(setting)?;
        Some(Self {
            bucket,
            setting,
            value,
            version,
        })
    }

    /// Sets it in the bucket's settings.
    pub(crate) fn restore(&self, settings: &mut BucketSettings) -> Result<(), CatalogError> {
        settings
            .restore(self.setting, &self.value, self.version)
            .map_err(|_| CatalogError::Corrupt("bucket_settings.value"))
    }
}

impl Record for SettingRow {
    const TABLE: Table = Table {
        name: "bucket_settings",
        columns: &[
            ("bucket_id", Kind::Int),
            ("name", Kind::Text),
            ("value", Kind::Text),
            ("version", Kind::Int),
        ],
        key: 2,
    };

    fn values(&self) -> Vec<Value> {
        vec![
            self.bucket.0.into(),
            self.setting.name().into(),
            self.value.as_str().into(),
            self.version.0.into(),
        ]
    }

    /// An unknown setting is an error: it may be a restriction that a later version of this program made.
    fn read(row: &Row) -> Result<Self, CatalogError> {
        let setting = BucketSetting::named(&row.text(1)?);
        Ok(Self {
            bucket: BucketId(row.int(0)?),
            setting: setting.ok_or(CatalogError::Corrupt("bucket_settings.name"))?,
            value: row.text(2)?,
            version: Generation(row.int(3)?),
        })
    }
}
