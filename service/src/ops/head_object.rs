use bucketry_contract::v1::{HeadObjectRequest, HeadObjectResponse};
use tonic::Request;

use super::open_object::open_object;
use crate::error::Error;
use crate::request::Service;

pub(crate) async fn head_object(
    service: &Service,
    request: Request<HeadObjectRequest>,
) -> Result<HeadObjectResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.get_ref().object.clone().unwrap_or_default();
    let opened = open_object(service, caller, request.get_ref(), &asked).await?;
    Ok(HeadObjectResponse {
        header: Some(opened.header),
    })
}
