use bucketry_contract::v1::{GetObjectAclRequest, GetObjectAclResponse};
use tonic::Request;

use super::acl;
use super::open_object::version_exists;
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn get_object_acl(
    service: &Service,
    request: Request<GetObjectAclRequest>,
) -> Result<GetObjectAclResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref();
    let grant = service
        .admit(caller, asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    version_exists(service, &grant, &asked.key, &asked.version_id).await?;
    let owner = service.owner(grant.bucket.account).await?;
    Ok(GetObjectAclResponse {
        policy: Some(acl::policy(&owner)),
    })
}
