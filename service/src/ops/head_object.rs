use bucketry_contract::v1::{HeadObjectRequest, HeadObjectResponse};
use tonic::Request;

use super::open_object::{open_object, read_header};
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn head_object(
    service: &Service,
    request: Request<HeadObjectRequest>,
) -> Result<HeadObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref().object.clone().unwrap_or_default();
    let request = request.get_ref();
    let header = match (&asked.range, asked.part_number) {
        (None, 0) => read_header(service, caller, request, &asked).await?,
        (Some(_), _) | (None, _) => open_object(service, caller, request, &asked).await?.header,
    };
    Ok(HeadObjectResponse {
        header: Some(header),
    })
}
