use bucketry_contract::v1::{PutBucketAclRequest, PutBucketAclResponse};
use tonic::Request;

use super::acl::{self, AclOf};
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn put_bucket_acl(
    service: &Service,
    request: Request<PutBucketAclRequest>,
) -> Result<PutBucketAclResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    acl::check(&asked.acl.unwrap_or_default(), AclOf::Bucket, &owner)?;
    Ok(PutBucketAclResponse {})
}
