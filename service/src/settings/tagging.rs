use bucketry_contract::v1;
use serde_json::json;

use super::Definition;
use crate::access::AccessClass;
use crate::convert::{tag_set_to_proto, tags_from_proto};
use crate::domain::SettingEdit;
use crate::error::Error;
use crate::rules::tags::MAX_BUCKET_TAGS;

pub(super) const DEFINITION: Definition = Definition {
    readers: &[AccessClass::BucketSetting],
    edit,
    show: |settings, bucket| v1::Bucket {
        tagging: settings.tagging().map(|tags| tag_set_to_proto(tags)),
        ..bucket
    },
    record: |settings| json!(settings.tagging()),
};

fn edit(sent: &v1::Bucket) -> Result<SettingEdit, Error> {
    let tags = sent.tagging.clone();
    let tags = tags.map(|tags| tags_from_proto(tags, MAX_BUCKET_TAGS));
    Ok(SettingEdit::Tagging(tags.transpose()?))
}
