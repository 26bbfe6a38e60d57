use bucketry_contract::v1::{DeleteBucketRequest, DeleteBucketResponse};
use tonic::Request;

use crate::catalog::mutation::DeleteBucket;
use crate::error::Error;
use crate::service::Service;

pub(crate) async fn delete_bucket(
    service: &Service,
    request: Request<DeleteBucketRequest>,
) -> Result<DeleteBucketResponse, Error> {
    let caller = service.caller(&request, "DeleteBucket").await?;
    let grant = service
        .admit(caller, request.get_ref(), &request.get_ref().bucket, "")
        .await?;
    service
        .commit(&grant, |guard| DeleteBucket {
            bucket: grant.bucket.id,
            guard,
            now: service.now(),
        })
        .await?;
    Ok(DeleteBucketResponse {})
}
