use bucketry_contract::v1::{Bucket, UpdateBucketRequest, UpdateBucketResponse};
use tonic::Request;

use crate::catalog::mutation::UpdateBucket;
use crate::convert::bucket_to_proto;
use crate::domain::{BucketSetting, SettingEdit};
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::request::{Grant, Resource, Service};
use crate::settings;

pub(crate) async fn update_bucket(
    service: &Service,
    request: Request<UpdateBucketRequest>,
) -> Result<UpdateBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let name = asked.bucket.as_ref().map_or("", |bucket| &bucket.name);
    let grant = service
        .admit(caller, &asked, Resource::bucket(name))
        .await?;
    let UpdateBucketRequest {
        bucket,
        update_mask,
    } = asked;
    let edits = edits(
        &bucket.unwrap_or_default(),
        update_mask.unwrap_or_default().paths,
    )?;
    // Read only now, because reading the body may have taken a while.
    let before = service.catalog.bucket_settings(grant.bucket.id).await?;
    let details = settings::record(&before, &edits);
    let about = About::bucket(&grant.bucket);
    let entry = audit_entry(service, &grant, "bucket.update", about, details);
    let change = UpdateBucket {
        bucket: grant.bucket.id,
        edits,
    };
    let updated = service.commit(&grant, change, vec![entry]).await?;
    let owner = service.owner(grant.bucket.account).await?;
    let bucket = bucket_to_proto(&grant.bucket, &owner);
    let bucket = settings::show(bucket, &updated, BucketSetting::ALL, grant.classes());
    Ok(UpdateBucketResponse {
        bucket: Some(bucket),
    })
}

/// The edits that the paths of a mask name, without duplicates.
fn edits(sent: &Bucket, paths: Vec<String>) -> Result<Vec<SettingEdit>, Error> {
    if paths.is_empty() {
        let settings: Vec<&str> = BucketSetting::ALL.iter().map(|one| one.name()).collect();
        return Err(Error::InvalidArgument {
            field: "update_mask",
            problem: format!("must name what to change: {}", settings.join(", ")),
        });
    }
    let mut edits: Vec<SettingEdit> = Vec::new();
    for path in paths {
        let setting = changeable(path)?;
        if edits.iter().all(|edit| edit.setting() != setting) {
            edits.push(settings::edit(setting, sent)?);
        }
    }
    Ok(edits)
}

fn changeable(path: String) -> Result<BucketSetting, Error> {
    if let Some(setting) = BucketSetting::named(&path) {
        return Ok(setting);
    }
    Err(match path.as_str() {
        "name" | "region" | "account_id" | "owner_id" | "owner_display_name" | "create_time"
        | "statistics" => Error::ImmutableField { field: path },
        _ => Error::InvalidArgument {
            field: "update_mask",
            problem: format!("{path:?} is not a field of Bucket that can be changed"),
        },
    })
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
        let edits = edits(&sent, vec!["tagging".to_owned(); 10_000]).unwrap();
        assert!(
            matches!(edits.as_slice(), [SettingEdit::Tagging(Some(tags))] if tags.len() == 1),
            "{} edits",
            edits.len()
        );
    }

    #[test]
    fn only_settings_can_be_changed() {
        let edit = |path: &str| edits(&Bucket::default(), vec![path.to_owned()]);
        for path in ["name", "region", "owner_id"] {
            let refused = edit(path);
            assert!(matches!(refused, Err(Error::ImmutableField { field }) if field == path));
        }
        for path in ["", "policy", "tagging.tags", "*"] {
            assert!(
                matches!(edit(path), Err(Error::InvalidArgument { .. })),
                "{path}"
            );
        }
        let refused = edits(&Bucket::default(), Vec::new()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "update_mask: must name what to change: tagging, cors, ownership_controls"
        );
    }
}
