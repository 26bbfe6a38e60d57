use bucketry_contract::v1::AuditEvent;

use crate::catalog::query::ListAudit;
use crate::convert::{audit_event_to_proto, fitting, page_size};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::request::Service;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

/// A page of the audit, newest first, and the token of the next one. `of` says whose; its page is set here.
pub(crate) async fn audit_page(
    service: &Service,
    of: ListAudit,
    size: i32,
    page_token: &str,
) -> Result<(Vec<AuditEvent>, String), Error> {
    let query = format!(
        "audit\0{:?}\0{:?}\0{:?}",
        of.account, of.bucket, of.access_key
    );
    let position = service.page_tokens.open(page_token, &query)?;
    let list = ListAudit {
        before: position.as_deref().and_then(read_position),
        max: page_size(Some(size), DEFAULT_PAGE, MAX_PAGE)?,
        ..of
    };
    let page = service.catalog.list_audit(&list).await?;
    let events = page.items.iter().map(audit_event_to_proto).collect();
    let page = fitting(page, events);
    let next = page.last_before_more.map(|last| {
        let position = format!("{}:{}", last.entry.at.as_micros(), last.id);
        service.page_tokens.seal(&position, &query)
    });
    Ok((page.shown, next.unwrap_or_default()))
}

/// Only what was sealed here is read: time and id of the last event shown.
fn read_position(text: &str) -> Option<(Timestamp, i64)> {
    let (at, id) = text.split_once(':')?;
    Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
}
