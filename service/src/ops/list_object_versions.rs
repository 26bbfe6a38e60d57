use bucketry_contract::v1::{ListObjectVersionsRequest, ListObjectVersionsResponse, ObjectVersion};
use tonic::Request;

use crate::catalog::query::{ListObjects, Listed, ObjectView};
use crate::convert::{NULL_VERSION, fitting_objects, listed_to_proto, page_size, version_marker};
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{Resource, Service};

pub(crate) async fn list_object_versions(
    service: &Service,
    request: Request<ListObjectVersionsRequest>,
) -> Result<ListObjectVersionsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let max = page_size(asked.page_size, MAX_PAGE, MAX_PAGE)?;
    // A key has one version, so the next key follows any version.
    version_marker(&asked.key_marker, &asked.version_id_marker)?;
    if asked.validate_only {
        return Ok(ListObjectVersionsResponse::default());
    }
    let page = service
        .catalog
        .list_objects(&ListObjects {
            bucket: grant.bucket.id,
            prefix: asked.prefix,
            delimiter: asked.delimiter,
            after: asked.key_marker,
            max,
            view: ObjectView::Basic,
        })
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    let show = |object| listed_to_proto(&grant.bucket.name, object, &owner);
    let (entries, next) = fitting_objects(page, show);
    let mut answer = ListObjectVersionsResponse {
        versions: Vec::with_capacity(entries.len()),
        ..ListObjectVersionsResponse::default()
    };
    if let Some(next) = next {
        answer.next_key_marker = next;
        if let Some(Listed::Entry(_)) = entries.last() {
            answer.next_version_id_marker = NULL_VERSION.to_owned();
        }
    }
    for entry in entries {
        match entry {
            Listed::Entry(object) => answer.versions.push(ObjectVersion {
                object: Some(object),
                version_id: NULL_VERSION.to_owned(),
                is_latest: true,
            }),
            Listed::CommonPrefix(prefix) => answer.common_prefixes.push(prefix),
        }
    }
    Ok(answer)
}
