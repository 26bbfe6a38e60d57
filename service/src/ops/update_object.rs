use bucketry_contract::v1::{Object, ObjectAttributes, UpdateObjectRequest, UpdateObjectResponse};
use tonic::Request;

use crate::access::AccessClass;
use crate::catalog::mutation::{Preconditions, UpdateObject};
use crate::convert::{no_version, object_key, object_to_proto, tags_from_proto};
use crate::error::Error;
use crate::request::{Grant, Resource, Service, judge};
use crate::rules::tags::MAX_OBJECT_TAGS;

pub(crate) async fn update_object(
    service: &Service,
    request: Request<UpdateObjectRequest>,
) -> Result<UpdateObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (bucket, key) = asked.object.as_ref().map_or(("", ""), |object| {
        (object.bucket.as_str(), object.key.as_str())
    });
    let grant = service
        .admit(caller, &asked, Resource::object(bucket, key))
        .await?;
    let UpdateObjectRequest {
        object,
        update_mask,
    } = asked;
    let object = object.unwrap_or_default();
    check_mask(&update_mask.unwrap_or_default().paths)?;
    let key = object_key(&object.key)?;
    no_version(&object.key, &object.version_id)?;
    let sent = object.attributes.and_then(|attributes| attributes.tagging);
    let tags = tags_from_proto(sent.unwrap_or_default(), MAX_OBJECT_TAGS)?;
    let updated = service
        .commit(
            &grant,
            UpdateObject {
                bucket: grant.bucket.id,
                key: key.clone(),
                tags: tags.clone(),
                preconditions: Preconditions::default(),
            },
            Vec::new(),
        )
        .await?;
    let owner = service.owner(updated.row.meta.owner).await?;
    let object = object_to_proto(&grant.bucket.name, &updated.row, &owner);
    let reads = judge(
        grant.caller(),
        &[AccessClass::Read],
        grant.target(),
        service.now(),
    );
    Ok(UpdateObjectResponse {
        object: Some(if reads.is_ok() {
            object
        } else {
            written(object)
        }),
    })
}

/// What a caller who may not read is shown: what it has written, and nothing else of the object.
fn written(object: Object) -> Object {
    Object {
        bucket: object.bucket,
        key: object.key,
        attributes: object.attributes.map(|attributes| ObjectAttributes {
            tagging: attributes.tagging,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Tags are all that can be changed. Set or cleared is told by whether they are there; the access table knows both.
fn check_mask(paths: &[String]) -> Result<(), Error> {
    match paths {
        [path] if path == "attributes.tagging" => Ok(()),
        _ => Err(Error::InvalidArgument {
            field: "update_mask",
            problem: format!("must be attributes.tagging, not {:?}", paths.join(",")),
        }),
    }
}
