//! The decision on an S3 request: by the rows that the catalog remembers if they allow it, otherwise by current ones.
//! What is remembered may be outdated, so that it never suffices to refuse a request, and to allow one only if the current
//! rows are read before anything is done.

use std::sync::Arc;

use bucketry_contract::access_table::{self, ActionAccess};
use bucketry_contract::adapter::v1::{AuthorizeRequest, SignatureClaim};
use bucketry_edge::fair::on_behalf;

use super::authorize::SharedBy;
use super::claim::{self, CheckedSignature, VerifiedClaim};
use crate::access::sigv4::SigningKey;
use crate::access::{self, ExpectedOwners, Origin};
use crate::catalog::AccessRows;
use crate::catalog::model::{AccessKey, Bucket, KeyLimits};
use crate::error::Error;
use crate::request::{
    OBJECT_SERVICE, PresumedCaller, Requirements, Resource, Service, fair_caller,
};

/// A request that is allowed.
pub(super) struct EdgeDecision {
    pub(super) caller: access::Caller,
    /// The rows that were decided on.
    pub(super) rows: AccessRows,
    pub(super) requirements: Requirements,
    /// The day's signing key of the caller; only SigV4 has one.
    pub(super) signing_key: Option<Arc<SigningKey>>,
}

/// Decides on a request, of which `claim` is the signature.
pub(super) async fn decide(
    service: &Service,
    claim: Option<SignatureClaim>,
    asked: &AuthorizeRequest,
    origin: Origin,
    shares: SharedBy,
) -> Result<EdgeDecision, Error> {
    let Some(claim) = claim
        .map(|claim| claim::check(service, claim))
        .transpose()?
    else {
        let caller = access::Caller::anonymous(origin);
        return decide_now(service, asked, caller, None, None).await;
    };
    if let Some(remembered) = decide_as_remembered(service, asked, &claim, &origin) {
        on_behalf::set(fair_caller(&remembered.caller));
        return if is_left_to_the_call(asked, shares, &remembered.rows) {
            Ok(remembered)
        } else {
            confirm(service, remembered).await
        };
    }
    let resource = Resource::object(&asked.bucket, &asked.key);
    let VerifiedClaim {
        caller,
        row,
        signing_key,
    } = claim::verify(service, &claim, origin, resource).await?;
    on_behalf::set(fair_caller(&caller));
    decide_now(service, asked, caller, Some(row), signing_key).await
}

/// The decision by current rows.
async fn decide_now(
    service: &Service,
    asked: &AuthorizeRequest,
    caller: access::Caller,
    key: Option<Arc<AccessKey>>,
    signing_key: Option<Arc<SigningKey>>,
) -> Result<EdgeDecision, Error> {
    let requirements = requirements(asked)?;
    let bucket = decide_on_target(service, &caller, &requirements).await?;
    Ok(EdgeDecision {
        caller,
        rows: AccessRows { key, bucket },
        requirements,
        signing_key,
    })
}

/// The decision by remembered rows, if they allow the request and it is about an existing bucket.
fn decide_as_remembered(
    service: &Service,
    asked: &AuthorizeRequest,
    claim: &CheckedSignature,
    origin: &Origin,
) -> Option<EdgeDecision> {
    let VerifiedClaim {
        caller,
        row,
        signing_key,
    } = claim::verify_remembered(service, claim, origin.clone())?;
    let requirements = requirements(asked).ok()?;
    if requirements.is_bucket_creation() {
        return None;
    }
    let bucket = service.remembered_bucket(&caller, &requirements)?;
    Some(EdgeDecision {
        caller,
        rows: AccessRows {
            key: Some(row),
            bucket: Some(bucket),
        },
        requirements,
        signing_key,
    })
}

/// Whether current rows need not be read here, because the operation's call reads them before anything is done, and
/// nothing is answered or refused before.
fn is_left_to_the_call(asked: &AuthorizeRequest, shares: SharedBy, rows: &AccessRows) -> bool {
    let key = rows.key.as_ref();
    // A session lasts longer than the decision, so it is given by current rows only.
    shares == SharedBy::Service
        && asked.call_follows
        && asked.expected_bucket_owner.is_empty()
        && asked.expected_source_bucket_owner.is_empty()
        && key.is_some_and(|key| key.limits == KeyLimits::default())
}

/// The same decision by current rows.
async fn confirm(service: &Service, remembered: EdgeDecision) -> Result<EdgeDecision, Error> {
    let EdgeDecision {
        caller,
        rows,
        requirements,
        signing_key,
    } = remembered;
    let presumed = PresumedCaller::of_decision(caller, rows, ExpectedOwners::default());
    let (caller, rows) = service.confirm(presumed, &requirements).await?;
    Ok(EdgeDecision {
        caller,
        rows,
        requirements,
        signing_key,
    })
}

/// What the operation needs. An RPC without a class is denied, as is a path of an update mask without one.
///
/// The source of a copy is not included: the operation judges it when it opens the source.
fn requirements(asked: &AuthorizeRequest) -> Result<Requirements, Error> {
    let access = access_table::of(OBJECT_SERVICE, &asked.rpc).ok_or(Error::AccessDenied)?;
    let update =
        |path: &String| access_table::of_update(&asked.rpc, path).ok_or(Error::AccessDenied);
    let raised = asked.raised().map(|class| ActionAccess {
        class,
        ..access.own()
    });
    let mut updates = Vec::with_capacity(asked.set_paths.len() + asked.clear_paths.len());
    for path in &asked.set_paths {
        updates.push(update(path)?.set);
    }
    for path in &asked.clear_paths {
        updates.push(update(path)?.clear);
    }
    let resource = Resource::object(&asked.bucket, &asked.key);
    Ok(Requirements::described(
        access,
        raised.collect(),
        updates,
        resource,
    ))
}

/// Decides on the operation by current rows. Returns the bucket, if the operation is about an existing one.
async fn decide_on_target(
    service: &Service,
    caller: &access::Caller,
    requirements: &Requirements,
) -> Result<Option<Arc<Bucket>>, Error> {
    let target = match requirements.resource() {
        Resource::Service => service.service_target(caller).await?,
        Resource::Bucket(_) if requirements.is_bucket_creation() => {
            service.creation_target(caller, requirements).await?
        }
        Resource::Bucket(_) | Resource::Object { .. } => {
            let bucket = service.decide_on_bucket(caller, requirements).await?;
            return Ok(Some(bucket));
        }
    };
    service.decide(caller, requirements, target)?;
    Ok(None)
}
