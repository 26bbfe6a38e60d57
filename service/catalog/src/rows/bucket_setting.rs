use crate::CatalogError;
use crate::sql::record;
use bucketry_domain::{BucketId, BucketSetting, BucketSettings, Generation};

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
    /// The row of a setting; `None` if it is not set.
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

    /// Adds the row to the bucket's settings. A setting of a later version of this program is skipped; edits of other
    /// settings leave its row unchanged.
    pub(crate) fn restore(&self, settings: &mut BucketSettings) -> Result<(), CatalogError> {
        let Some(setting) = BucketSetting::named(&self.name) else {
            return Ok(());
        };
        settings
            .restore(setting, &self.value, self.version)
            .map_err(|_| CatalogError::Corrupt("bucket_settings.value"))
    }
}

record! {
    SettingRow, table "bucket_settings", key 2, stored from row {
        bucket_id: i64 = row.bucket.0,
        name: String = row.name.as_str(),
        value: String = row.value.as_str(),
        version: i64 = row.version.0,
    }
    read as Self {
        bucket: BucketId(bucket_id),
        name,
        value,
        version: Generation(version),
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
