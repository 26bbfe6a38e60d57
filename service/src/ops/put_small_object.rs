use bucketry_contract::v1::{ObjectChunk, PutSmallObjectRequest, PutSmallObjectResponse};
use tonic::Request;

use super::put_object::write_object;
use crate::error::Error;
use crate::intake::ContentMessage;
use crate::service::Service;

pub(crate) async fn put_small_object(
    service: &Service,
    request: Request<PutSmallObjectRequest>,
) -> Result<PutSmallObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let PutSmallObjectRequest { spec, data } = request.into_inner();
    let spec = spec.unwrap_or_default();
    let chunk = ContentMessage::Chunk(ObjectChunk {
        offset: 0,
        data,
        crc32c: None,
    });
    let content = futures::stream::iter([Ok(chunk)]);
    let written = write_object(service, caller, spec, content).await?;
    Ok(PutSmallObjectResponse {
        object: written.object,
    })
}
