use std::sync::Arc;

use bucketry_contract::v1::{ListBucketsRequest, ListBucketsResponse};
use tonic::Request;

use crate::catalog::model::{Bucket, KeyScope};
use crate::catalog::query::{ListBuckets, More};
use crate::convert::{bucket_to_proto, page_size};
use crate::domain::BucketConfig;
use crate::error::Error;
use crate::service::Service;

const DEFAULT_PAGE: u32 = 1000;
const MAX_PAGE: u32 = 10_000;

pub(crate) async fn list_buckets(
    service: &Service,
    request: Request<ListBucketsRequest>,
) -> Result<ListBucketsResponse, Error> {
    let caller = service.caller(&request, "ListBuckets").await?;
    let asked = request.into_inner();
    let grant = service.admit_account(caller, &asked).await?;
    let max = page_size(Some(asked.page_size), DEFAULT_PAGE, MAX_PAGE)?;
    let scope = grant.scope();
    let query = format!("buckets\0{}\0{scope:?}", asked.prefix);
    let after = service.page_tokens.open(&asked.page_token, &query)?;
    let (buckets, more) = match scope {
        Some(KeyScope::Bucket { bucket, .. }) => {
            let own = service.catalog.bucket(bucket).await?;
            let shown =
                own.filter(|own| after.is_none() && own.name.as_str().starts_with(&asked.prefix));
            (shown.into_iter().collect(), More::No)
        }
        Some(KeyScope::Edge) => return Err(Error::AccessDenied),
        Some(KeyScope::Account(_) | KeyScope::Everything) | None => {
            let page = service
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
                .await?;
            (page.items, page.more)
        }
    };
    answer(service, &grant, buckets, more, &query).await
}

async fn answer(
    service: &Service,
    grant: &crate::service::AccountGrant,
    buckets: Vec<Arc<Bucket>>,
    more: More,
    query: &str,
) -> Result<ListBucketsResponse, Error> {
    let next_page_token = match (more, buckets.last()) {
        (More::Yes, Some(last)) => service.page_tokens.seal(last.name.as_str(), query),
        _ => String::new(),
    };
    let account = match grant.scope() {
        Some(KeyScope::Account(account) | KeyScope::Bucket { account, .. }) => account,
        Some(KeyScope::Everything | KeyScope::Edge) | None => service.settings.first_account,
    };
    let owner = service.owner(account).await?;
    let mut shown = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let bare = Bucket {
            config: BucketConfig::default(),
            ..Bucket::clone(&bucket)
        };
        shown.push(bucket_to_proto(
            &bare,
            &service.owner(bucket.account).await?,
        ));
    }
    Ok(ListBucketsResponse {
        buckets: shown,
        next_page_token,
        owner_id: owner.id,
        owner_display_name: owner.display_name,
    })
}
