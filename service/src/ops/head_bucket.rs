use bucketry_contract::v1::{HeadBucketRequest, HeadBucketResponse};
use tonic::Request;

use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn head_bucket(
    service: &Service,
    request: Request<HeadBucketRequest>,
) -> Result<HeadBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let grant = service
        .admit(
            caller,
            request.get_ref(),
            Resource::bucket(&request.get_ref().bucket),
        )
        .await?;
    Ok(HeadBucketResponse {
        region: grant.bucket.region.clone(),
    })
}
