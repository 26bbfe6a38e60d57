use bucketry_contract::v1::{ListTokenDenialsRequest, ListTokenDenialsResponse};
use tonic::Request;

use super::admit_token;
use crate::error::Error;
use crate::metering::denial_to_proto;
use crate::request::Service;

/// The contract's.
const MAX_DENIALS: u32 = 100;

pub(crate) async fn list_token_denials(
    service: &Service,
    request: Request<ListTokenDenialsRequest>,
) -> Result<ListTokenDenialsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (_, token) = admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    service.ledger.flush(&service.catalog).await?;
    let denials = service.catalog.denials(token.pk, MAX_DENIALS).await?;
    Ok(ListTokenDenialsResponse {
        denials: denials.into_iter().map(denial_to_proto).collect(),
    })
}
