use bucketry_contract::v1::{ListMultipartUploadsRequest, ListMultipartUploadsResponse};
use tonic::Request;

use crate::catalog::query::{ListUploads, Listed};
use crate::convert::{page_size, upload_id, upload_to_proto};
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{Resource, Service};

pub(crate) async fn list_multipart_uploads(
    service: &Service,
    request: Request<ListMultipartUploadsRequest>,
) -> Result<ListMultipartUploadsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let max = page_size(asked.page_size, MAX_PAGE, MAX_PAGE)?;
    // S3 ignores an upload marker that comes without a key marker.
    let marked = !asked.upload_id_marker.is_empty() && !asked.key_marker.is_empty();
    let upload_marker = if marked {
        Some(upload_id(&asked.upload_id_marker)?)
    } else {
        None
    };
    if asked.validate_only {
        return Ok(ListMultipartUploadsResponse::default());
    }
    let page = service
        .catalog
        .list_uploads(&ListUploads {
            bucket: grant.bucket.id,
            prefix: asked.prefix,
            delimiter: asked.delimiter,
            key_marker: asked.key_marker,
            upload_marker,
            max,
        })
        .await?;
    let owner = service.owner(grant.bucket.account).await?;
    let mut answer = ListMultipartUploadsResponse::default();
    for entry in page.entries {
        match entry {
            Listed::Entry(upload) => {
                let upload = upload_to_proto(&grant.bucket.name, &upload, &owner);
                answer.uploads.push(upload);
            }
            Listed::CommonPrefix(prefix) => answer.common_prefixes.push(prefix),
        }
    }
    if let Some((key, upload)) = page.next {
        answer.next_key_marker = key;
        answer.next_upload_id_marker = upload.map(|id| id.to_string()).unwrap_or_default();
    }
    Ok(answer)
}
