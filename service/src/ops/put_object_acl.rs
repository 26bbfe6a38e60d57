use bucketry_contract::v1::{PutObjectAclRequest, PutObjectAclResponse};
use tonic::Request;

use super::acl::{self, AclOf};
use super::open_object::version_exists;
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn put_object_acl(
    service: &Service,
    request: Request<PutObjectAclRequest>,
) -> Result<PutObjectAclResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    version_exists(service, &grant, &asked.key, &asked.version_id).await?;
    let owner = service.owner(grant.bucket.account).await?;
    acl::check(&asked.acl.unwrap_or_default(), AclOf::Object, &owner)?;
    Ok(PutObjectAclResponse {})
}
