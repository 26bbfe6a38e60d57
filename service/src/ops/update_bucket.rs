use bucketry_contract::v1::{Bucket, UpdateBucketRequest, UpdateBucketResponse};
use tonic::Request;

use crate::catalog::mutation::{BucketEdit, UpdateBucket};
use crate::convert::{bucket_to_proto, cors_from_proto, ownership_from_proto, tag_set_from_proto};
use crate::error::Error;
use crate::service::Service;

pub(crate) async fn update_bucket(
    service: &Service,
    request: Request<UpdateBucketRequest>,
) -> Result<UpdateBucketResponse, Error> {
    let caller = service.caller(&request, "UpdateBucket").await?;
    let asked = request.into_inner();
    let name = asked.bucket.as_ref().map_or("", |bucket| &bucket.name);
    let grant = service.admit(caller, &asked, name, "").await?;
    let UpdateBucketRequest {
        bucket,
        update_mask,
    } = asked;
    let bucket = bucket.unwrap_or_default();
    let edits = edits(bucket, update_mask.unwrap_or_default().paths)?;
    let updated = service
        .commit(&grant, |guard| UpdateBucket {
            bucket: grant.bucket.id,
            edits: edits.clone(),
            guard,
            now: service.now(),
        })
        .await?;
    let owner = service.owner(updated.account).await?;
    Ok(UpdateBucketResponse {
        bucket: Some(bucket_to_proto(&updated, &owner)),
    })
}

fn edits(sent: Bucket, paths: Vec<String>) -> Result<Vec<BucketEdit>, Error> {
    if paths.is_empty() {
        return Err(Error::InvalidArgument {
            field: "update_mask",
            problem: "must name what to change: tagging, cors, ownership_controls".to_owned(),
        });
    }
    let mut sent = sent;
    paths
        .into_iter()
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
