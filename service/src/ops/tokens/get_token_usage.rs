use bucketry_contract::v1::{GetTokenUsageRequest, GetTokenUsageResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn get_token_usage(
    service: &Service,
    request: Request<GetTokenUsageRequest>,
) -> Result<GetTokenUsageResponse, Error> {
    let caller = service.caller(&request, "GetTokenUsage").await?;
    let asked = request.into_inner();
    service.admit(caller, &asked, &asked.bucket, "").await?;
    Err(Error::NotImplemented("GetTokenUsage"))
}
