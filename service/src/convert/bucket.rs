use bucketry_contract::v1;

use super::Owner;
use crate::catalog::model::{Bucket, BucketStatistics};

pub(crate) fn statistics_to_proto(statistics: BucketStatistics) -> v1::BucketStatistics {
    let count = |value| i64::try_from(value).unwrap_or(i64::MAX);
    v1::BucketStatistics {
        object_count: count(statistics.objects),
        size_bytes: count(statistics.bytes),
    }
}

/// A bucket for the wire, without its statistics and settings: `crate::settings` adds those that the caller may see.
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
