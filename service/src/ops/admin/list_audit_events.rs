use bucketry_contract::v1::{ListAuditEventsRequest, ListAuditEventsResponse};
use tonic::Request;

use crate::error::Error;
use crate::service::Service;

pub(crate) async fn list_audit_events(
    service: &Service,
    request: Request<ListAuditEventsRequest>,
) -> Result<ListAuditEventsResponse, Error> {
    let caller = service.caller(&request, "ListAuditEvents").await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    Err(Error::NotImplemented("ListAuditEvents"))
}
