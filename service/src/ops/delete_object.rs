use bucketry_contract::v1::{DeleteObjectRequest, DeleteObjectResponse};
use tonic::Request;

use crate::catalog::mutation::DeleteObject;
use crate::convert::{no_version, object_key, write_preconditions};
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn delete_object(
    service: &Service,
    request: Request<DeleteObjectRequest>,
) -> Result<DeleteObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    let key = object_key(&asked.key)?;
    no_version(&asked.key, &asked.version_id)?;
    let preconditions = write_preconditions(asked.precondition)?;
    let deleted = service
        .commit(
            &grant,
            DeleteObject {
                bucket: grant.bucket.id,
                key: key.clone(),
                preconditions: preconditions.clone(),
            },
            Vec::new(),
        )
        .await?;
    if deleted.removed.is_none() && !asked.allow_missing {
        return Err(Error::NoSuchKey { key: asked.key });
    }
    Ok(DeleteObjectResponse {
        version_id: String::new(),
        delete_marker: false,
    })
}
