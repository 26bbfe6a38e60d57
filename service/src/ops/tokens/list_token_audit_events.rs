use bucketry_contract::v1::{ListTokenAuditEventsRequest, ListTokenAuditEventsResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn list_token_audit_events(
    service: &Service,
    request: Request<ListTokenAuditEventsRequest>,
) -> Result<ListTokenAuditEventsResponse, Error> {
    let caller = service.caller(&request, "ListTokenAuditEvents").await?;
    let asked = request.into_inner();
    service.admit(caller, &asked, &asked.bucket, "").await?;
    Err(Error::NotImplemented("ListTokenAuditEvents"))
}
