use bucketry_contract::v1;

use super::Owner;
use crate::catalog::model::Bucket;
use crate::domain::{CorsRule, ObjectOwnership, Tag};
use crate::error::Error;
use crate::rules::{cors, tags};

/// A bucket with its settings for the wire.
pub(crate) fn bucket_to_proto(bucket: &Bucket, owner: &Owner) -> v1::Bucket {
    v1::Bucket {
        tagging: bucket.config.tagging.as_deref().map(tag_set_to_proto),
        cors: bucket.config.cors.as_deref().map(cors_to_proto),
        ownership_controls: bucket.config.ownership.map(ownership_to_proto),
        ..bare_bucket_to_proto(bucket, owner)
    }
}

/// A bucket without its settings for the wire.
pub(crate) fn bare_bucket_to_proto(bucket: &Bucket, owner: &Owner) -> v1::Bucket {
    v1::Bucket {
        name: bucket.name.as_str().to_owned(),
        region: bucket.region.clone(),
        account_id: bucket.account.to_string(),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
        create_time: Some(super::timestamp_to_proto(bucket.created)),
        tagging: None,
        cors: None,
        ownership_controls: None,
    }
}

/// Tags for the wire, by key as S3 shows them, whatever the order in which they were written.
pub(super) fn tag_set_to_proto(tags: &[Tag]) -> v1::TagSet {
    let mut tags: Vec<v1::Tag> = tags
        .iter()
        .map(|tag| v1::Tag {
            key: tag.key.clone(),
            value: tag.value.clone(),
        })
        .collect();
    tags.sort_by(|left, right| left.key.cmp(&right.key));
    v1::TagSet { tags }
}

/// Tags of a bucket as sent.
pub(crate) fn tag_set_from_proto(sent: v1::TagSet) -> Result<Vec<Tag>, Error> {
    super::tags_from_proto(sent, tags::MAX_BUCKET_TAGS)
}

fn cors_to_proto(rules: &[CorsRule]) -> v1::CorsConfiguration {
    v1::CorsConfiguration {
        rules: rules
            .iter()
            .map(|rule| v1::CorsRule {
                id: rule.id.clone().unwrap_or_default(),
                allowed_origins: rule.allowed_origins.clone(),
                allowed_methods: rule.allowed_methods.clone(),
                allowed_headers: rule.allowed_headers.clone(),
                expose_headers: rule.expose_headers.clone(),
                max_age_seconds: rule
                    .max_age_seconds
                    .map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX)),
            })
            .collect(),
    }
}

/// Cross-origin rules as sent.
pub(crate) fn cors_from_proto(sent: v1::CorsConfiguration) -> Result<Vec<CorsRule>, Error> {
    let rules = sent
        .rules
        .into_iter()
        .map(|rule| {
            Ok(CorsRule {
                id: Some(rule.id).filter(|id| !id.is_empty()),
                allowed_origins: rule.allowed_origins,
                allowed_methods: rule.allowed_methods,
                allowed_headers: rule.allowed_headers,
                expose_headers: rule.expose_headers,
                max_age_seconds: rule.max_age_seconds.map(max_age).transpose()?,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    cors::check(&rules)?;
    Ok(rules)
}

fn max_age(seconds: i32) -> Result<u32, Error> {
    u32::try_from(seconds).map_err(|_| Error::InvalidArgument {
        field: "cors.rules.max_age_seconds",
        problem: format!("{seconds} is negative"),
    })
}

fn ownership_to_proto(ownership: ObjectOwnership) -> v1::OwnershipControls {
    let ownership = match ownership {
        ObjectOwnership::BucketOwnerEnforced => v1::ObjectOwnership::BucketOwnerEnforced,
        ObjectOwnership::BucketOwnerPreferred => v1::ObjectOwnership::BucketOwnerPreferred,
        ObjectOwnership::ObjectWriter => v1::ObjectOwnership::ObjectWriter,
    };
    v1::OwnershipControls {
        rules: vec![v1::OwnershipControlsRule {
            object_ownership: ownership.into(),
        }],
    }
}

/// Ownership as sent. There are no ACLs, so only `BucketOwnerEnforced` can be honoured.
pub(crate) fn ownership_from_proto(sent: &v1::OwnershipControls) -> Result<ObjectOwnership, Error> {
    let [rule] = sent.rules.as_slice() else {
        return Err(Error::InvalidArgument {
            field: "ownership_controls.rules",
            problem: format!("there must be exactly one rule, not {}", sent.rules.len()),
        });
    };
    match rule.object_ownership() {
        v1::ObjectOwnership::BucketOwnerEnforced => Ok(ObjectOwnership::BucketOwnerEnforced),
        v1::ObjectOwnership::BucketOwnerPreferred | v1::ObjectOwnership::ObjectWriter => Err(
            Error::NotImplemented("object ownership other than BucketOwnerEnforced"),
        ),
        v1::ObjectOwnership::Unspecified => Err(Error::InvalidArgument {
            field: "ownership_controls.rules.object_ownership",
            problem: "must be BucketOwnerEnforced".to_owned(),
        }),
    }
}
