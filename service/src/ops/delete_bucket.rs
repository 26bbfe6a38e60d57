use bucketry_contract::v1::{DeleteBucketRequest, DeleteBucketResponse};
use serde_json::json;
use tonic::Request;

use crate::catalog::mutation::DeleteBucket;
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::request::{Resource, Service};

pub(crate) async fn delete_bucket(
    service: &Service,
    request: Request<DeleteBucketRequest>,
) -> Result<DeleteBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let grant = service
        .admit(
            caller,
            request.get_ref(),
            Resource::bucket(&request.get_ref().bucket),
        )
        .await?;
    let details = json!({ "name": grant.bucket.name.as_str() });
    let entry = audit_entry(
        service,
        &grant,
        "bucket.delete",
        About::bucket(&grant.bucket),
        details,
    );
    let change = DeleteBucket {
        bucket: grant.bucket.id,
    };
    service.commit(&grant, change, vec![entry]).await?;
    Ok(DeleteBucketResponse {})
}
