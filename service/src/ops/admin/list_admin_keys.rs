use bucketry_contract::v1::{ListAdminKeysRequest, ListAdminKeysResponse};
use tonic::Request;

use crate::catalog::query::{KeysOf, ListAccessKeys};
use crate::convert::{admin_key_to_proto, fitting, page_size};
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::request::Service;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

pub(crate) async fn list_admin_keys(
    service: &Service,
    request: Request<ListAdminKeysRequest>,
) -> Result<ListAdminKeysResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    let after = service.page_tokens.open(&asked.page_token, "admin keys")?;
    let page = service
        .catalog
        .list_access_keys(&ListAccessKeys {
            of: KeysOf::Administrators,
            after: after.and_then(|pk| pk.parse().ok()).map(AccessKeyPk),
            max: page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?,
        })
        .await?;
    let keys = page.items.iter().map(|key| admin_key_to_proto(key));
    let keys = keys.collect();
    let page = fitting(page, keys);
    let next = page.last_before_more.map(|last| last.pk.to_string());
    Ok(ListAdminKeysResponse {
        keys: page.shown,
        next_page_token: service.page_tokens.seal_next(next.as_deref(), "admin keys"),
    })
}
