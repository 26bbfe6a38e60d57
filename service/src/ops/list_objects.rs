use bucketry_contract::v1::{ListObjectsRequest, ListObjectsResponse};
use tonic::Request;

use crate::catalog::query::{ListObjects, Listed};
use crate::convert::{fitting_objects, listed_to_proto, object_view, page_size};
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{Resource, Service};

pub(crate) async fn list_objects(
    service: &Service,
    request: Request<ListObjectsRequest>,
) -> Result<ListObjectsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let max = page_size(asked.page_size, MAX_PAGE, MAX_PAGE)?;
    let view = object_view(asked.view)?;
    let query = format!(
        "objects\0{}\0{}\0{}",
        grant.bucket.id, asked.prefix, asked.delimiter
    );
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    if asked.validate_only {
        return Ok(ListObjectsResponse::default());
    }
    let page = service
        .catalog
        .list_objects(&ListObjects {
            bucket: grant.bucket.id,
            prefix: asked.prefix,
            delimiter: asked.delimiter,
            after: after.unwrap_or(asked.start_after),
            max,
            view,
        })
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    let show = |object| listed_to_proto(&grant.bucket.name, object, &owner);
    let (entries, next) = fitting_objects(page, show);
    let mut answer = ListObjectsResponse {
        objects: Vec::with_capacity(entries.len()),
        ..ListObjectsResponse::default()
    };
    for entry in entries {
        match entry {
            Listed::Entry(object) => answer.objects.push(object),
            Listed::CommonPrefix(prefix) => answer.common_prefixes.push(prefix),
        }
    }
    if let Some(next) = next {
        answer.next_page_token = service.page_tokens.seal(&next, &query);
        answer.next_start_after = next;
    }
    Ok(answer)
}
