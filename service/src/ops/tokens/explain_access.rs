use bucketry_contract::v1::{ExplainAccessRequest, ExplainAccessResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn explain_access(
    service: &Service,
    request: Request<ExplainAccessRequest>,
) -> Result<ExplainAccessResponse, Error> {
    let caller = service.caller(&request, "ExplainAccess").await?;
    let asked = request.into_inner();
    service.admit(caller, &asked, &asked.bucket, "").await?;
    Err(Error::NotImplemented("ExplainAccess"))
}
