use bucketry_contract::v1::{GetBucketAclRequest, GetBucketAclResponse};
use tonic::Request;

use super::acl;
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn get_bucket_acl(
    service: &Service,
    request: Request<GetBucketAclRequest>,
) -> Result<GetBucketAclResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref();
    let grant = service
        .admit(caller, asked, Resource::bucket(&asked.bucket))
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    Ok(GetBucketAclResponse {
        policy: Some(acl::policy(&owner)),
    })
}
