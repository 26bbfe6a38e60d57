use bucketry_contract::v1::{ListTokensRequest, ListTokensResponse};
use tonic::Request;

use crate::catalog::query::{KeysOf, ListAccessKeys, More};
use crate::convert::{page_size, token_to_proto};
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::service::Service;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

pub(crate) async fn list_tokens(
    service: &Service,
    request: Request<ListTokensRequest>,
) -> Result<ListTokensResponse, Error> {
    let caller = service.caller(&request, "ListTokens").await?;
    let asked = request.into_inner();
    let grant = service.admit(caller, &asked, &asked.bucket, "").await?;
    let size = Some(asked.page_size).filter(|&size| size != 0);
    let query = format!("tokens\0{}", grant.bucket.id);
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    let page = service
        .catalog
        .list_access_keys(&ListAccessKeys {
            of: KeysOf::Bucket(grant.bucket.id),
            after: after.and_then(|pk| pk.parse().ok()).map(AccessKeyPk),
            max: page_size(size, DEFAULT_PAGE, MAX_PAGE)?,
        })
        .await?;
    let next_page_token = match (page.more, page.items.last()) {
        (More::Yes, Some(last)) => service.page_tokens.seal(&last.pk.to_string(), &query),
        _ => String::new(),
    };
    let now = service.now();
    Ok(ListTokensResponse {
        tokens: page
            .items
            .iter()
            .map(|key| token_to_proto(key, Some(&grant.bucket.name), now))
            .collect(),
        next_page_token,
    })
}
