//! The settings of buckets: fields of the contract's `Bucket` that are stored one by one. Each has a file, which says how
//! it is sent and shown, what is allowed, what the audit records of it, and who may see it.
//!
//! To add one, annotate its field in the contract, give it a line in `service/domain/src/bucket_settings.rs` and a file
//! here; the compiler reports what else is missing.

mod cors;
mod ownership_controls;
mod tagging;

#[cfg(test)]
mod tests;

use bucketry_contract::v1;
use serde_json::{Value, json};

use crate::access::AccessClass;
use crate::domain::{BucketSetting, BucketSettings, Generation, SettingEdit};
use crate::error::Error;

/// How a setting is converted and recorded, and who may see it.
struct Definition {
    /// Who sees it besides the administrators of the bucket: callers that were admitted to one of these classes. An
    /// allow-list; if it is empty, no token sees the setting.
    readers: &'static [AccessClass],
    /// Parses and checks its field. An absent field removes the setting.
    edit: fn(&v1::Bucket) -> Result<SettingEdit, Error>,
    /// Fills in its field.
    show: fn(&BucketSettings, v1::Bucket) -> v1::Bucket,
    /// Its value as the audit records it.
    record: fn(&BucketSettings) -> Value,
}

/// The table of all settings.
const fn definition(setting: BucketSetting) -> &'static Definition {
    match setting {
        BucketSetting::Tagging => &tagging::DEFINITION,
        BucketSetting::Cors => &cors::DEFINITION,
        BucketSetting::OwnershipControls => &ownership_controls::DEFINITION,
    }
}

/// The edit of a setting that a sent `Bucket` requests.
pub(crate) fn edit(setting: BucketSetting, sent: &v1::Bucket) -> Result<SettingEdit, Error> {
    (definition(setting).edit)(sent)
}

/// Adds to a bucket those of the `wanted` settings that are set and that a caller admitted to the classes `admitted`
/// may see.
pub(crate) fn show(
    bucket: v1::Bucket,
    settings: &BucketSettings,
    wanted: &[BucketSetting],
    admitted: &[AccessClass],
) -> v1::Bucket {
    let definitions = wanted.iter().map(|setting| definition(*setting));
    definitions
        .filter(|definition| may_see(definition, admitted))
        .fold(bucket, |shown, definition| {
            (definition.show)(settings, shown)
        })
}

fn may_see(definition: &Definition, admitted: &[AccessClass]) -> bool {
    let readers = definition.readers;
    (admitted.iter()).any(|class| *class == AccessClass::BucketAdmin || readers.contains(class))
}

/// The audit record of edits: the values before and after.
pub(crate) fn record(before: &BucketSettings, edits: &[SettingEdit]) -> Value {
    let mut edited = before.clone();
    for edit in edits {
        edited.apply(edit.clone(), Generation::NONE);
    }
    let (mut was, mut will_be) = (json!({}), json!({}));
    for setting in edits.iter().map(SettingEdit::setting) {
        let record = definition(setting).record;
        was[setting.name()] = record(before);
        will_be[setting.name()] = record(&edited);
    }
    json!({ "before": was, "after": will_be })
}
