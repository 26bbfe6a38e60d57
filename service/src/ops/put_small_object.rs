use bucketry_contract::v1::{ObjectChunk, PutSmallObjectRequest, PutSmallObjectResponse};
use tonic::Request;

use super::put_object::write_object;
use crate::content::ContentMessage;
use crate::error::Error;
use crate::request::{Resource, Service};

pub(crate) async fn put_small_object(
    service: &Service,
    request: Request<PutSmallObjectRequest>,
) -> Result<PutSmallObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let resource = asked.spec.as_ref().map_or(Resource::Service, |spec| {
        Resource::object(&spec.bucket, &spec.key)
    });
    let grant = service.admit(caller, &asked, resource).await?;
    let PutSmallObjectRequest { spec, data } = asked;
    let chunk = ContentMessage::Chunk(ObjectChunk {
        offset: 0,
        data,
        crc32c: None,
    });
    let content = futures::stream::iter([Ok(chunk)]);
    let written = write_object(service, grant, spec.unwrap_or_default(), content).await?;
    Ok(PutSmallObjectResponse {
        object: written.object,
    })
}
