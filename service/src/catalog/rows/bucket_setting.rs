use crate::catalog::CatalogError;
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{BucketId, BucketSetting, BucketSettings, Generation};

/// One setting of a bucket. Each has a row of its own: an edit of one rewrites no other.
#[derive(Debug)]
pub(crate) struct SettingRow {
    pub(crate) bucket: BucketId,
    name: String,
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
            name: setting.name().to_owned(),
            value,
            version,
        })
    }

    /// Sets it in the bucket's settings. A setting of a later version of this program is skipped: an edit of another
    /// leaves its row as it is.
    pub(crate) fn restore(&self, settings: &mut BucketSettings) -> Result<(), CatalogError> {
        let Some(setting) = BucketSetting::named(&self.name) else {
            return Ok(());
        };
        settings
            .restore(setting, &self.value, self.version)
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
            self.name.as_str().into(),
            self.value.as_str().into(),
            self.version.0.into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        Ok(Self {
            bucket: BucketId(row.int(0)?),
            name: row.text(1)?,
            value: row.text(2)?,
            version: Generation(row.int(3)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_later_version_are_skipped() {
        let row = |name: &str, value: &str| SettingRow {
            bucket: BucketId(1),
            name: name.to_owned(),
            value: value.to_owned(),
            version: Generation(1),
        };
        let mut settings = BucketSettings::default();
        row("of-tomorrow", "{").restore(&mut settings).unwrap();
        assert_eq!(settings, BucketSettings::default());
        let corrupt = row("tagging", "{").restore(&mut settings);
        assert!(matches!(corrupt, Err(CatalogError::Corrupt(_))));
        row("tagging", "[]").restore(&mut settings).unwrap();
        assert_eq!(settings.tagging(), Some(&Vec::new()));
    }
}
