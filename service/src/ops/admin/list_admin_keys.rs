use bucketry_contract::v1::{ListAdminKeysRequest, ListAdminKeysResponse};
use tonic::Request;

use super::admit_to_account::admit_to_account;
use crate::catalog::query::{KeysOf, ListAccessKeys};
use crate::convert::{admin_key_to_proto, fitting, page_size};
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::ops::tokens::uses;
use crate::request::Service;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

pub(crate) async fn list_admin_keys(
    service: &Service,
    request: Request<ListAdminKeysRequest>,
) -> Result<ListAdminKeysResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (_, account) = admit_to_account(service, caller, &asked, &asked.account_id).await?;
    let of = account.map_or(KeysOf::Administrators, KeysOf::AdministratorsOf);
    let query = format!("admin keys\0{of:?}");
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    let page = service
        .catalog
        .list_access_keys(&ListAccessKeys {
            of,
            after: after.and_then(|pk| pk.parse().ok()).map(AccessKeyPk),
            max: page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?,
        })
        .await?;
    let listed: Vec<AccessKeyPk> = page.items.iter().map(|key| key.pk).collect();
    let uses = uses(service, &listed).await?;
    let keys = page.items.iter();
    let keys = keys.map(|key| uses.of_admin_key(key.pk, admin_key_to_proto(key)));
    let keys = keys.collect();
    let page = fitting(page, keys);
    let next = page.last_before_more.map(|last| last.pk.to_string());
    Ok(ListAdminKeysResponse {
        keys: page.shown,
        next_page_token: service.page_tokens.seal_next(next.as_deref(), &query),
    })
}
