use bucketry_contract::v1::{ListAccountsRequest, ListAccountsResponse};
use tonic::Request;

use crate::convert::{account_to_proto, fitting, page_size};
use crate::domain::AccountId;
use crate::error::Error;
use crate::request::Service;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

pub(crate) async fn list_accounts(
    service: &Service,
    request: Request<ListAccountsRequest>,
) -> Result<ListAccountsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    service.admit_account(caller, &asked).await?;
    let max = page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?;
    let after = service.page_tokens.open(&asked.page_token, "accounts")?;
    let after = after.and_then(|id| id.parse().ok()).map(AccountId);
    let page = service.catalog.list_accounts(after, max).await?;
    let accounts = page.items.iter().map(account_to_proto).collect();
    let page = fitting(page, accounts);
    let next = page.last_before_more.map(|last| last.id.to_string());
    Ok(ListAccountsResponse {
        accounts: page.shown,
        next_page_token: service.page_tokens.seal_next(next.as_deref(), "accounts"),
    })
}
