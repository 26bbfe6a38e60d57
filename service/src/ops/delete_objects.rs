use bucketry_contract::v1::{
    DeleteObjectResult, DeleteObjectsRequest, DeleteObjectsResponse, ObjectIdentifier,
};
use tonic::Request;

use crate::catalog::mutation::DeleteObject;
use crate::convert::{no_version, object_key, write_preconditions};
use crate::error::Error;
use crate::limits::MAX_DELETES;
use crate::request::{BucketGrant, Resource, Service};

pub(crate) async fn delete_objects(
    service: &Service,
    request: Request<DeleteObjectsRequest>,
) -> Result<DeleteObjectsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    if asked.objects.is_empty() || asked.objects.len() > MAX_DELETES {
        return Err(Error::InvalidArgument {
            field: "objects",
            problem: format!(
                "1 to {MAX_DELETES} are allowed, not {}",
                asked.objects.len()
            ),
        });
    }
    // All keys go into the queue at once, so that they share a group commit and its fsync.
    let deletions = asked
        .objects
        .into_iter()
        .map(|object| delete_one(service, &grant, object, asked.allow_missing));
    Ok(DeleteObjectsResponse {
        results: futures::future::join_all(deletions).await,
    })
}

async fn delete_one(
    service: &Service,
    grant: &BucketGrant,
    object: ObjectIdentifier,
    allow_missing: bool,
) -> DeleteObjectResult {
    let (key, version_id) = (object.key.clone(), object.version_id.clone());
    match try_delete(service, grant, object, allow_missing).await {
        Ok(()) => DeleteObjectResult {
            key,
            version_id,
            deleted: true,
            error_reason: String::new(),
            error_message: String::new(),
        },
        Err(error) => {
            let status = crate::error::status_parts(&error);
            DeleteObjectResult {
                key,
                version_id,
                deleted: false,
                error_reason: bucketry_contract::errors::row(status.reason)
                    .name
                    .to_owned(),
                error_message: error.to_string(),
            }
        }
    }
}

async fn try_delete(
    service: &Service,
    grant: &BucketGrant,
    object: ObjectIdentifier,
    allow_missing: bool,
) -> Result<(), Error> {
    let key = object_key(&object.key)?;
    no_version(&object.key, &object.version_id)?;
    let preconditions = write_preconditions(object.precondition)?;
    let delete = DeleteObject {
        bucket: grant.bucket.id,
        key,
        preconditions,
    };
    let deleted = service.commit(grant, delete, Vec::new()).await?;
    if deleted.removed.is_none() && !allow_missing {
        return Err(Error::NoSuchKey { key: object.key });
    }
    Ok(())
}
