use std::collections::HashSet;

use bucketry_contract::v1::{Bucket, UpdateBucketRequest, UpdateBucketResponse};
use serde_json::json;
use tonic::Request;

use crate::catalog::model::{self, AuditEntry};
use crate::catalog::mutation::{BucketEdit, UpdateBucket};
use crate::convert::{bucket_to_proto, cors_from_proto, ownership_from_proto, tag_set_from_proto};
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::service::{Grant, Service};

pub(crate) async fn update_bucket(
    service: &Service,
    request: Request<UpdateBucketRequest>,
) -> Result<UpdateBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let name = asked.bucket.as_ref().map_or("", |bucket| &bucket.name);
    let grant = service.admit(caller, &asked, name, "").await?;
    let UpdateBucketRequest {
        bucket,
        update_mask,
    } = asked;
    let bucket = bucket.unwrap_or_default();
    let edits = edits(bucket, update_mask.unwrap_or_default().paths)?;
    // As it is after the body has been read, which may have taken a while.
    let before = service.catalog.bucket(grant.bucket.id).await?;
    let before = before.as_ref().unwrap_or(&grant.bucket);
    let entry = record(service, &grant, before, &edits);
    let change = UpdateBucket {
        bucket: grant.bucket.id,
        edits: edits.clone(),
    };
    let updated = service.commit(&grant, change, vec![entry]).await?;
    let owner = service.owner(updated.account).await?;
    Ok(UpdateBucketResponse {
        bucket: Some(bucket_to_proto(&updated, &owner)),
    })
}

/// What is set, and what was there before.
fn record(
    service: &Service,
    grant: &Grant,
    before: &model::Bucket,
    edits: &[BucketEdit],
) -> AuditEntry {
    let before = &before.config;
    let (mut was, mut will_be) = (json!({}), json!({}));
    for edit in edits {
        let (setting, old, new) = match edit {
            BucketEdit::Tagging(new) => ("tagging", json!(before.tagging), json!(new)),
            BucketEdit::Cors(new) => ("cors", json!(before.cors), json!(new)),
            BucketEdit::Ownership(new) => {
                ("ownership_controls", json!(before.ownership), json!(new))
            }
        };
        was[setting] = old;
        will_be[setting] = new;
    }
    let details = json!({ "before": was, "after": will_be });
    let about = About::bucket(&grant.bucket);
    audit_entry(service, grant, "bucket.update", about, details)
}

fn edits(sent: Bucket, paths: Vec<String>) -> Result<Vec<BucketEdit>, Error> {
    if paths.is_empty() {
        return Err(Error::InvalidArgument {
            field: "update_mask",
            problem: "must name what to change: tagging, cors, ownership_controls".to_owned(),
        });
    }
    let mut sent = sent;
    let mut named = HashSet::new();
    paths
        .into_iter()
        .filter(|path| named.insert(path.clone()))
        .map(|path| match path.as_str() {
            "tagging" => Ok(BucketEdit::Tagging(
                sent.tagging.take().map(tag_set_from_proto).transpose()?,
            )),
            "cors" => Ok(BucketEdit::Cors(
                sent.cors.take().map(cors_from_proto).transpose()?,
            )),
            "ownership_controls" => Ok(BucketEdit::Ownership(
                sent.ownership_controls
                    .take()
                    .as_ref()
                    .map(ownership_from_proto)
                    .transpose()?,
            )),
            "name" | "region" | "account_id" | "owner_id" | "owner_display_name"
            | "create_time" => Err(Error::ImmutableField { field: path }),
            _ => Err(Error::InvalidArgument {
                field: "update_mask",
                problem: format!("{path:?} is not a field of Bucket that can be changed"),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1;

    use super::*;

    #[test]
    fn a_setting_that_is_named_again_is_edited_once() {
        let tag = v1::Tag {
            key: "k".into(),
            value: "v".into(),
        };
        let sent = Bucket {
            tagging: Some(v1::TagSet { tags: vec![tag] }),
            ..Bucket::default()
        };
        let edits = edits(sent, vec!["tagging".to_owned(); 10_000]).unwrap();
        assert!(
            matches!(edits.as_slice(), [BucketEdit::Tagging(Some(tags))] if tags.len() == 1),
            "{} edits",
            edits.len()
        );
    }
}
