use std::collections::HashMap;

use bucketry_contract::v1::{Bucket, ListBucketsRequest, ListBucketsResponse};
use tonic::Request;

use crate::catalog::model::{BucketStatistics, KeyScope};
use crate::catalog::query::{BucketPage, ListBuckets, More};
use crate::convert::{bucket_to_proto, fitting, page_size, statistics_to_proto};
use crate::domain::BucketId;
use crate::error::Error;
use crate::request::{AccountGrant, Grant, Service};

const DEFAULT_PAGE: u32 = 1000;
const MAX_PAGE: u32 = 10_000;

pub(crate) async fn list_buckets(
    service: &Service,
    request: Request<ListBucketsRequest>,
) -> Result<ListBucketsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let max = page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?;
    let scope = grant.scope();
    let query = format!("buckets\0{}\0{scope:?}", asked.prefix);
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    let page = match scope {
        Some(KeyScope::Bucket { bucket, .. }) => {
            let own = service.catalog.bucket(bucket).await?;
            let shown =
                own.filter(|own| after.is_none() && own.name.as_str().starts_with(&asked.prefix));
            BucketPage {
                items: shown.into_iter().collect(),
                more: More::No,
            }
        }
        Some(KeyScope::Edge) => return Err(Error::AccessDenied),
        Some(KeyScope::Account(_) | KeyScope::Everything) | None => {
            service
                .catalog
                .list_buckets(&ListBuckets {
                    account: match scope {
                        Some(KeyScope::Account(account)) => Some(account),
                        _ => None,
                    },
                    prefix: asked.prefix,
                    after: after.and_then(|name| name.parse().ok()),
                    max,
                })
                .await?
        }
    };
    answer(service, &grant, page, &query).await
}

async fn answer(
    service: &Service,
    grant: &AccountGrant,
    page: BucketPage,
    query: &str,
) -> Result<ListBucketsResponse, Error> {
    let account = match grant.scope() {
        Some(KeyScope::Account(account) | KeyScope::Bucket { account, .. }) => account,
        Some(KeyScope::Everything | KeyScope::Edge) | None => service.settings.first_account,
    };
    let owner = service.owner(account).await?;
    let statistics = match grant.scope() {
        Some(KeyScope::Account(_) | KeyScope::Everything) => {
            let ids: Vec<BucketId> = page.items.iter().map(|bucket| bucket.id).collect();
            Some(service.catalog.bucket_statistics(&ids).await?)
        }
        Some(KeyScope::Bucket { .. } | KeyScope::Edge) | None => None,
    };
    let mut shown = Vec::with_capacity(page.items.len());
    for bucket in &page.items {
        let owner = service.owner(bucket.account).await?;
        let of_bucket = |all: &HashMap<BucketId, BucketStatistics>| {
            statistics_to_proto(all.get(&bucket.id).copied().unwrap_or_default())
        };
        shown.push(Bucket {
            statistics: statistics.as_ref().map(of_bucket),
            ..bucket_to_proto(bucket, &owner)
        });
    }
    let page = fitting(page, shown);
    let next = page.last_before_more.as_ref();
    let next = next.map(|last| last.name.as_str());
    Ok(ListBucketsResponse {
        buckets: page.shown,
        next_page_token: service.page_tokens.seal_next(next, query),
        owner_id: owner.id.clone(),
        owner_display_name: owner.display_name.clone(),
    })
}
