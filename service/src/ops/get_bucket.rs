use bucketry_contract::v1::{GetBucketRequest, GetBucketResponse};
use tonic::Request;

use crate::convert::bucket_to_proto;
use crate::error::Error;
use crate::service::Service;

pub(crate) async fn get_bucket(
    service: &Service,
    request: Request<GetBucketRequest>,
) -> Result<GetBucketResponse, Error> {
    let caller = service.caller(&request, "GetBucket").await?;
    let grant = service
        .admit(caller, request.get_ref(), &request.get_ref().bucket, "")
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    Ok(GetBucketResponse {
        bucket: Some(bucket_to_proto(&grant.bucket, &owner)),
    })
}
