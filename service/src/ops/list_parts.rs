use bucketry_contract::v1::{ListPartsRequest, ListPartsResponse};
use tonic::Request;

use super::upload_part::open_upload;
use crate::convert::{page_size, part_marker, part_to_proto, upload_to_proto};
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{Resource, Service};

pub(crate) async fn list_parts(
    service: &Service,
    request: Request<ListPartsRequest>,
) -> Result<ListPartsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    let max = page_size(asked.page_size, MAX_PAGE, MAX_PAGE)?;
    let after = part_marker(asked.part_number_marker)?;
    let upload = open_upload(service, &grant, &asked.key, &asked.upload_id).await?;
    let owner = service.owner(upload.owner).await?;
    let answered = Some(upload_to_proto(&grant.bucket.name, &upload, &owner));
    if asked.validate_only {
        return Ok(ListPartsResponse {
            upload: answered,
            ..ListPartsResponse::default()
        });
    }
    let page = service.catalog.list_parts(upload.id, after, max).await?;
    Ok(ListPartsResponse {
        upload: answered,
        parts: page.parts.iter().map(part_to_proto).collect(),
        next_part_number_marker: page.next.map_or(0, i32::from),
    })
}
