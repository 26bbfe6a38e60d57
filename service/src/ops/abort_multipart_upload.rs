use bucketry_contract::v1::{AbortMultipartUploadRequest, AbortMultipartUploadResponse};
use tonic::Request;

use super::upload_part::open_upload;
use crate::catalog::mutation::AbortUpload;
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn abort_multipart_upload(
    service: &Service,
    request: Request<AbortMultipartUploadRequest>,
) -> Result<AbortMultipartUploadResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::object(&asked.bucket, &asked.key))
        .await?;
    let upload = open_upload(service, &grant, &asked.key, &asked.upload_id).await?;
    service
        .commit(
            &grant,
            AbortUpload {
                bucket: grant.bucket.id,
                upload: upload.id,
            },
            Vec::new(),
        )
        .await?;
    Ok(AbortMultipartUploadResponse {})
}
