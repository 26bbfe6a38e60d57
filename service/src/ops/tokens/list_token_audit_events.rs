use bucketry_contract::v1::{ListTokenAuditEventsRequest, ListTokenAuditEventsResponse};
use tonic::Request;

use super::admit_token::{administered_account, find, no_such};
use crate::catalog::model::{AccessKey, KeyScope};
use crate::catalog::query::ListAudit;
use crate::domain::{AccessKeyPk, BucketId};
use crate::error::Error;
use crate::ops::audit_page::audit_page;
use crate::request::{Credentials, Resource, Service};

/// The events of a bucket or of one token. A purged token has its events still: it is asked for by its id.
pub(crate) async fn list_token_audit_events(
    service: &Service,
    request: Request<ListTokenAuditEventsRequest>,
) -> Result<ListTokenAuditEventsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let of = admitted(service, caller, &asked).await?;
    let (events, next_page_token) =
        audit_page(service, of, asked.page_size, &asked.page_token).await?;
    Ok(ListTokenAuditEventsResponse {
        events,
        next_page_token,
    })
}

/// What the caller may see of what was asked for.
async fn admitted(
    service: &Service,
    caller: Credentials,
    asked: &ListTokenAuditEventsRequest,
) -> Result<ListAudit, Error> {
    let reach = if asked.bucket.is_empty() {
        ListAudit {
            account: administered_account(service, caller, asked).await?,
            ..ListAudit::default()
        }
    } else {
        let grant = service
            .admit(caller, asked, Resource::bucket(&asked.bucket))
            .await?;
        ListAudit {
            bucket: Some(grant.bucket.id),
            ..ListAudit::default()
        }
    };
    if asked.token_id.is_empty() {
        if asked.bucket.is_empty() {
            return Err(Error::InvalidArgument {
                field: "bucket",
                problem: "must be given, unless token_id is".to_owned(),
            });
        }
        return Ok(reach);
    }
    let access_key = match asked.token_id.parse::<i64>() {
        Ok(pk) => AccessKeyPk(pk),
        Err(_) => {
            let found = find(service, &asked.token_id).await?;
            let (_, token) = found
                .filter(|(of, token)| is_within(&reach, *of, token))
                .ok_or_else(|| no_such(&asked.token_id))?;
            token.pk
        }
    };
    Ok(ListAudit {
        access_key: Some(access_key),
        ..reach
    })
}

fn is_within(reach: &ListAudit, of: BucketId, token: &AccessKey) -> bool {
    let account = match token.scope {
        KeyScope::Bucket { account, .. } | KeyScope::Account(account) => Some(account),
        KeyScope::Everything | KeyScope::Edge => None,
    };
    reach.bucket.is_none_or(|bucket| bucket == of)
        && (reach.account.is_none() || reach.account == account)
}
