use bucketry_contract::v1;

use super::Owner;
use crate::catalog::model::Bucket;

/// A bucket for the wire, without its settings: `crate::settings` adds those that the caller may see.
pub(crate) fn bucket_to_proto(bucket: &Bucket, owner: &Owner) -> v1::Bucket {
    v1::Bucket {
        name: bucket.name.as_str().to_owned(),
        region: bucket.region.clone(),
        account_id: bucket.account.to_string(),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
        create_time: Some(super::timestamp_to_proto(bucket.created)),
        ..v1::Bucket::default()
    }
}
