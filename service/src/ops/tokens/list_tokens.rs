use std::sync::Arc;

use bucketry_contract::v1::{ListTokensRequest, ListTokensResponse};
use tonic::Request;

use super::admit_token::administered_account;
use super::uses::uses;
use crate::catalog::model::{AccessKey, Bucket, KeyScope};
use crate::catalog::query::{KeysOf, ListAccessKeys};
use crate::convert::{fitting, page_size, token_to_proto};
use crate::domain::AccessKeyPk;
use crate::error::Error;
use crate::request::{Resource, Service};

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

pub(crate) async fn list_tokens(
    service: &Service,
    request: Request<ListTokensRequest>,
) -> Result<ListTokensResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (of, query, named) = if asked.bucket.is_empty() {
        let of = KeysOf::Orphaned(administered_account(service, caller, &asked).await?);
        (of, format!("orphaned tokens\0{of:?}"), None)
    } else {
        let grant = service
            .admit(caller, &asked, Resource::bucket(&asked.bucket))
            .await?;
        let query = format!("tokens\0{}", grant.bucket.id);
        (
            KeysOf::Bucket(grant.bucket.id),
            query,
            Some(Arc::clone(&grant.bucket)),
        )
    };
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    let page = service
        .catalog
        .list_access_keys(&ListAccessKeys {
            of,
            after: after.and_then(|pk| pk.parse().ok()).map(AccessKeyPk),
            max: page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?,
        })
        .await?;
    let keys: Vec<AccessKeyPk> = page.items.iter().map(|key| key.pk).collect();
    let uses = uses(service, &keys).await?;
    let now = service.now();
    let mut tokens = Vec::with_capacity(page.items.len());
    for key in &page.items {
        let bucket = match &named {
            Some(bucket) => Arc::clone(bucket),
            None => bucket_of(service, key).await?,
        };
        tokens.push(uses.of(key.pk, token_to_proto(key, &bucket, now)));
    }
    let page = fitting(page, tokens);
    let next = page.last_before_more.map(|last| last.pk.to_string());
    Ok(ListTokensResponse {
        tokens: page.shown,
        next_page_token: service.page_tokens.seal_next(next.as_deref(), &query),
    })
}

async fn bucket_of(service: &Service, key: &AccessKey) -> Result<Arc<Bucket>, Error> {
    let gone = || Error::internal("a token of a bucket without a row");
    let KeyScope::Bucket { bucket, .. } = key.scope else {
        return Err(gone());
    };
    service.catalog.bucket(bucket).await?.ok_or_else(gone)
}
