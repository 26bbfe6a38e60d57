use bucketry_contract::access::v1::AccessClass;
use bucketry_contract::v1::{Object, UpdateObjectRequest, UpdateObjectResponse};
use tonic::Request;

use crate::catalog::mutation::{Preconditions, UpdateObject};
use crate::convert::{no_version, object_key, object_to_proto, tags_from_proto};
use crate::domain::Tag;
use crate::error::Error;
use crate::rules::tags::MAX_OBJECT_TAGS;
use crate::service::Service;

pub(crate) async fn update_object(
    service: &Service,
    request: Request<UpdateObjectRequest>,
) -> Result<UpdateObjectResponse, Error> {
    let caller = service.caller(&request, "UpdateObject").await?;
    let UpdateObjectRequest {
        object,
        update_mask,
    } = request.into_inner();
    let object = object.unwrap_or_default();
    let change = TagChange::read(&object, &update_mask.unwrap_or_default().paths)?;
    let grant = service
        .admit(caller, change.class(), &object.bucket, &object.key)
        .await?;
    let key = object_key(&object.key)?;
    no_version(&object.key, &object.version_id)?;
    let tags = change.tags(object)?;
    let updated = service
        .commit(&grant, |guard| UpdateObject {
            bucket: grant.bucket.id,
            key: key.clone(),
            tags: tags.clone(),
            preconditions: Preconditions::default(),
            guard,
            now: service.now(),
        })
        .await?;
    let owner = service.owner(updated.row.meta.owner).await?;
    Ok(UpdateObjectResponse {
        object: Some(object_to_proto(&grant.bucket.name, &updated.row, &owner)),
    })
}

/// What happens to the tags: to set them is a write, to clear them a delete.
#[derive(Clone, Copy)]
enum TagChange {
    Set,
    Clear,
}

impl TagChange {
    fn read(object: &Object, paths: &[String]) -> Result<Self, Error> {
        match paths {
            [path] if path == "attributes.tagging" => {}
            _ => {
                return Err(Error::InvalidArgument {
                    field: "update_mask",
                    problem: format!("must be attributes.tagging, not {}", paths.join(",")),
                });
            }
        }
        let set = object
            .attributes
            .as_ref()
            .is_some_and(|attributes| attributes.tagging.is_some());
        Ok(if set { Self::Set } else { Self::Clear })
    }

    fn class(self) -> AccessClass {
        match self {
            Self::Set => AccessClass::Write,
            Self::Clear => AccessClass::Delete,
        }
    }

    fn tags(self, object: Object) -> Result<Vec<Tag>, Error> {
        let sent = object.attributes.and_then(|attributes| attributes.tagging);
        tags_from_proto(sent.unwrap_or_default(), MAX_OBJECT_TAGS)
    }
}
