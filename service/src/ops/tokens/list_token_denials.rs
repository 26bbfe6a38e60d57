use bucketry_contract::v1::{ListTokenDenialsRequest, ListTokenDenialsResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn list_token_denials(
    service: &Service,
    request: Request<ListTokenDenialsRequest>,
) -> Result<ListTokenDenialsResponse, Error> {
    let caller = service.caller(&request, "ListTokenDenials").await?;
    let asked = request.into_inner();
    service.admit(caller, &asked, &asked.bucket, "").await?;
    Err(Error::NotImplemented("ListTokenDenials"))
}
