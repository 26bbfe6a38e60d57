use std::sync::Arc;

use bucketry_contract::v1::{CreateBucketRequest, CreateBucketResponse};
use serde_json::json;
use tonic::Request;

use crate::access::AccessClass;
use crate::catalog::model::{Bucket, KeyScope};
use crate::catalog::mutation::CreateBucket;
use crate::catalog::{CatalogError, Refusal};
use crate::convert::{bucket_name, bucket_to_proto};
use crate::domain::{AccountId, BucketId, BucketName, BucketSetting};
use crate::error::Error;
use crate::ops::tokens::{About, audit_entry};
use crate::request::{Grant, Service};
use crate::settings;

pub(crate) async fn create_bucket(
    service: &Service,
    request: Request<CreateBucketRequest>,
) -> Result<CreateBucketResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let CreateBucketRequest { bucket, region } = &asked;
    let name = bucket_name(bucket)?;
    if !region.is_empty() && *region != service.settings.region {
        let region = region.clone();
        return Err(match is_region(&region) {
            true => Error::OtherRegion { region },
            false => Error::InvalidRegion { region },
        });
    }
    let grant = service
        .admit_bucket_creation(caller, &asked, bucket)
        .await?;
    let account = match grant.scope() {
        // A token "makes" the one bucket that it has: clients do so to be sure of it.
        Some(KeyScope::Bucket { account, .. }) => {
            let bucket = existing(service, &name, account).await?;
            return answer(service, &bucket).await;
        }
        Some(KeyScope::Account(account)) => account,
        Some(KeyScope::Everything) | None => service.settings.first_account,
        Some(KeyScope::Edge) => return Err(Error::AccessDenied),
    };
    let id = BucketId(service.catalog.next_id().await?);
    let about = About {
        account: Some(account),
        bucket: Some(id),
        access_key: None,
    };
    let details = json!({ "name": name.as_str() });
    let entry = audit_entry(service, &grant, "bucket.create", about, details);
    let change = CreateBucket {
        id,
        name: name.clone(),
        account,
        region: service.settings.region.clone(),
    };
    match service.commit(&grant, change, vec![entry]).await {
        Ok(bucket) => answer(service, &bucket).await,
        Err(CatalogError::Refused(Refusal::BucketExists { owner, .. })) => {
            again(service, &name, owner, account).await
        }
        Err(error) => Err(error.into()),
    }
}

/// As in us-east-1: creating a bucket that the caller already owns succeeds and changes nothing. The owner sees the
/// settings.
async fn again(
    service: &Service,
    name: &BucketName,
    owner: AccountId,
    account: AccountId,
) -> Result<CreateBucketResponse, Error> {
    if owner != account {
        return Err(Error::BucketAlreadyExists {
            bucket: name.as_str().to_owned(),
        });
    }
    let bucket = existing(service, name, account).await?;
    let settings = service.catalog.bucket_settings(bucket.id).await?;
    let admitted = [AccessClass::BucketAdmin];
    let CreateBucketResponse { bucket } = answer(service, &bucket).await?;
    let show = |bucket| settings::show(bucket, &settings, BucketSetting::ALL, &admitted);
    Ok(CreateBucketResponse {
        bucket: bucket.map(show),
    })
}

/// The bucket, unless it was deleted in the meantime, and perhaps made by another account.
async fn existing(
    service: &Service,
    name: &BucketName,
    account: AccountId,
) -> Result<Arc<Bucket>, Error> {
    let found = service.catalog.bucket_by_name(name).await?;
    let found = found.filter(|found| found.account == account);
    found.ok_or(Error::Conflict)
}

/// The bucket without settings: a new one has none, and tokens do not see them here.
async fn answer(service: &Service, bucket: &Bucket) -> Result<CreateBucketResponse, Error> {
    let owner = service.owner(bucket.account).await?;
    Ok(CreateBucketResponse {
        bucket: Some(bucket_to_proto(bucket, &owner)),
    })
}

/// The form of AWS's region names: `eu-west-1`, `us-gov-east-1`. Any other text is not a region.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some(number), 3..=5) = (parts.last(), parts.len()) else {
        return false;
    };
    let names = parts.iter().take(parts.len() - 1);
    number.parse::<u8>().is_ok()
        && names
            .into_iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn region_names_have_a_form() {
        for text in ["us-west-2", "eu-central-1", "us-gov-east-1"] {
            assert!(is_region(text), "{text}");
        }
        for text in ["", "mars", "EU", "us-west", "us--1", "us-west-x"] {
            assert!(!is_region(text), "{text}");
        }
    }
}
