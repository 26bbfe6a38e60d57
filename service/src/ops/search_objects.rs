mod position;

use std::pin::pin;
use std::time::Duration;

use bucketry_contract::v1::{
    ObjectOrder, SearchCoverage, SearchObjectsRequest, SearchObjectsResponse,
};
use bucketry_edge::fair::FairLimits;
use tonic::Request;

use crate::catalog::search::{
    LetterCase, SearchBounds, SearchCoverage as Looked, SearchDirection, SearchObjects,
    SearchOrder, SearchPage,
};
use crate::convert::{listed_to_proto, page_size};
use crate::domain::ObjectKey;
use crate::error::Error;
use crate::limits::MAX_PAGE;
use crate::request::{BucketGrant, Grant as _, Resource, Service, busy, fair_caller};

/// How many searches a node does at once. Shares of two are one for each account.
pub(crate) const SEARCHES: FairLimits = FairLimits {
    requests: 2,
    bytes: 0,
    wait: Duration::from_secs(5),
};

/// How much one page looks at. A million keys take less than a second when they are in memory.
const BOUNDS: SearchBounds = SearchBounds {
    keys: 2_000_000,
    time: Duration::from_secs(2),
};

const DEFAULT_PAGE: u32 = 100;

pub(crate) async fn search_objects(
    service: &Service,
    request: Request<SearchObjectsRequest>,
) -> Result<SearchObjectsResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let grant = service
        .admit(caller, &asked, Resource::bucket(&asked.bucket))
        .await?;
    let page_token = asked.page_token.clone();
    let mut query = query(asked, &grant)?;
    let described = position::described(&query);
    query.after = (service.page_tokens.open(&page_token, &described)?)
        .map(|text| position::from_text(&text).ok_or(Error::InvalidPageToken))
        .transpose()?;
    let found = pin!(search(service, &grant, &query));
    // It may have to wait, and may take long: the right to it may end meanwhile.
    let page = service.while_granted(&grant, found).await?;
    let owner = service.owner(grant.bucket.account).await?;
    let show = |object| listed_to_proto(&grant.bucket.name, object, &owner);
    let next = page.next.as_ref().map(position::to_text);
    Ok(SearchObjectsResponse {
        objects: page.objects.into_iter().map(show).collect(),
        next_page_token: service.page_tokens.seal_next(next.as_deref(), &described),
        scanned_count: i64::try_from(page.scanned).unwrap_or(i64::MAX),
        coverage: match page.coverage {
            Looked::Complete => SearchCoverage::Complete.into(),
            Looked::Bounded => SearchCoverage::Bounded.into(),
        },
    })
}

/// What is searched, from the start.
fn query(asked: SearchObjectsRequest, grant: &BucketGrant) -> Result<SearchObjects, Error> {
    if asked.contains.len() > ObjectKey::MAX_BYTES {
        return Err(Error::InvalidArgument {
            field: "contains",
            problem: format!(
                "it has {} bytes, and a key at most {}",
                asked.contains.len(),
                ObjectKey::MAX_BYTES
            ),
        });
    }
    let order = match ObjectOrder::try_from(asked.order_by) {
        Ok(ObjectOrder::Unspecified | ObjectOrder::Key) => SearchOrder::Key,
        Ok(ObjectOrder::Size) => SearchOrder::Size,
        Ok(ObjectOrder::ModifyTime) => SearchOrder::Modified,
        Err(_) => {
            return Err(Error::InvalidArgument {
                field: "order_by",
                problem: format!("{} is no order of objects", asked.order_by),
            });
        }
    };
    Ok(SearchObjects {
        bucket: grant.bucket.id,
        prefix: asked.prefix,
        contains: asked.contains,
        letter_case: match asked.ignore_case {
            true => LetterCase::Ignored,
            false => LetterCase::Exact,
        },
        order,
        direction: match asked.descending {
            true => SearchDirection::Descending,
            false => SearchDirection::Ascending,
        },
        after: None,
        max: page_size(asked.page_size, DEFAULT_PAGE, MAX_PAGE)?,
        bounds: BOUNDS,
    })
}

/// Searches when it is the caller's turn.
async fn search(
    service: &Service,
    grant: &BucketGrant,
    query: &SearchObjects,
) -> Result<SearchPage, Error> {
    // A page of all keys in their order costs no more than one of a listing.
    let _turn = match query.order == SearchOrder::Key && query.contains.is_empty() {
        true => None,
        false => {
            let turn = service.searches.open(fair_caller(grant.caller())).await;
            Some(turn.map_err(busy)?)
        }
    };
    Ok(service.catalog.search_objects(query).await?)
}
