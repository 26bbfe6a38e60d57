use bucketry_contract::v1::{ListAuditEventsRequest, ListAuditEventsResponse};
use tonic::Request;

use crate::catalog::query::ListAudit;
use crate::error::Error;
use crate::ops::audit_page::audit_page;
use crate::request::Service;

pub(crate) async fn list_audit_events(
    service: &Service,
    request: Request<ListAuditEventsRequest>,
) -> Result<ListAuditEventsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    let all = ListAudit::default();
    let (events, next_page_token) =
        audit_page(service, all, asked.page_size, &asked.page_token).await?;
    Ok(ListAuditEventsResponse {
        events,
        next_page_token,
    })
}
