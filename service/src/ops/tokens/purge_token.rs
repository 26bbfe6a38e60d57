use bucketry_contract::v1::{PurgeTokenRequest, PurgeTokenResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn purge_token(
    service: &Service,
    request: Request<PurgeTokenRequest>,
) -> Result<PurgeTokenResponse, Error> {
    let caller = service.caller(&request, "PurgeToken").await?;
    let asked = request.into_inner();
    service.admit(caller, &asked, &asked.bucket, "").await?;
    Err(Error::NotImplemented("PurgeToken"))
}
