use std::net::IpAddr;
use std::sync::Arc;

use bucketry_contract::access_table::{self, ActionAccess};
use bucketry_contract::adapter::v1::{AuthorizeRequest, AuthorizeResponse};
use bucketry_edge::fair::{Slot, on_behalf};

use super::claim::{ClaimContext, VerifiedClaim, verify};
use crate::access::{self, ClientAddress, MAX_SESSION_LIFE, OperationSession, Origin};
use crate::catalog::model::Bucket;
use crate::convert::bucket_name;
use crate::error::Error;
use crate::request::{
    LocalDecision, OBJECT_SERVICE, Requirements, Resource, Service, fair_caller, session_use,
};

/// Decides on an S3 request before its body is read. The edge is trusted for the client's address: it has signed in, or
/// is in this process.
///
/// For an edge in a process of its own the answer has a session; for the one in this process there is a decision, and a
/// slot, which is held until the answer has been sent.
pub(crate) async fn authorize(
    service: &Service,
    asked: AuthorizeRequest,
    shares: SharedBy,
) -> Result<EdgeAnswer, Error> {
    let origin = Origin {
        address: client_address(&asked.client_address)?,
        request_id: asked.request_id.as_str().into(),
        operation: operation(&asked).into(),
        user_agent: Origin::user_agent(&asked.user_agent),
    };
    on_behalf::set_address(origin.address.ip());
    let verified = match asked.claim.clone() {
        Some(claim) => {
            let resource = Resource::object(&asked.bucket, &asked.key);
            verify(service, claim, ClaimContext { origin, resource }).await?
        }
        None => VerifiedClaim {
            caller: access::Caller::anonymous(origin),
            chunk_key: None,
        },
    };
    let sharer = fair_caller(&verified.caller);
    if verified.caller.key().is_some() {
        on_behalf::set(sharer);
    }
    let requirements = requirements(&asked)?;
    let bucket = decide(service, &verified.caller, &requirements).await?;
    // Before it is counted: what is refused was no use of the key.
    expect_owner(service, &asked.bucket, &asked.expected_bucket_owner).await?;
    expect_owner(
        service,
        &asked.copy_source_bucket,
        &asked.expected_source_bucket_owner,
    )
    .await?;
    let slot = match shares {
        SharedBy::Service => Some(service.slot(sharer).await?),
        SharedBy::Edge => None,
    };
    let counted = service.ledger.request(
        &service.catalog,
        &verified.caller,
        requirements.request_class(),
        requirements.resource(),
    );
    counted.await?;
    let session = match slot {
        Some(_) => String::new(),
        None => session(service, &verified.caller, &requirements),
    };
    let response = AuthorizeResponse {
        session,
        chunk_signing_key: verified
            .chunk_key
            .filter(|_| asked.chunk_signed)
            .unwrap_or_default(),
        account: sharer.account,
        access_key: sharer.key,
    };
    let local = slot.map(|slot| Local {
        slot: Arc::new(slot),
        decision: LocalDecision::new(verified.caller, bucket, requirements),
    });
    Ok(EdgeAnswer { response, local })
}

/// The answer to an edge.
pub(crate) struct EdgeAnswer {
    pub(crate) response: AuthorizeResponse,
    /// For the edge in this process.
    pub(crate) local: Option<Local>,
}

/// What only the edge in this process gets.
pub(crate) struct Local {
    pub(crate) slot: Arc<Slot>,
    pub(crate) decision: LocalDecision,
}

/// A session for the call that follows.
fn session(service: &Service, caller: &access::Caller, requirements: &Requirements) -> String {
    let usage = session_use(requirements);
    let session = OperationSession::new(caller, usage, service.now(), MAX_SESSION_LIFE);
    session.issue(&service.keyring.current())
}

/// Who divides the requests of an edge among their callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SharedBy {
    /// The service: the edge is in this process.
    Service,
    /// The edge itself, in its own process.
    Edge,
}

/// The longest name of an operation that an edge's word is taken for.
const MAX_OPERATION: usize = 64;

/// What the client asks for, as it calls it.
fn operation(asked: &AuthorizeRequest) -> &str {
    let named = match asked.operation.as_str() {
        "" => asked.rpc.as_str(),
        operation => operation,
    };
    named
        .get(..named.floor_char_boundary(MAX_OPERATION))
        .unwrap_or_default()
}

fn client_address(text: &str) -> Result<ClientAddress, Error> {
    if text.is_empty() {
        return Ok(ClientAddress::UNKNOWN);
    }
    let address: IpAddr = text.parse().map_err(|_| Error::InvalidArgument {
        field: "client_address",
        problem: format!("{text:?} is not an address"),
    })?;
    Ok(ClientAddress::known(address))
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

/// Decides on the operation. Returns the bucket, if the operation is about an existing one.
async fn decide(
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

/// `x-amz-expected-bucket-owner`: a bucket that is not the expected account's is refused.
async fn expect_owner(service: &Service, bucket: &str, expected: &str) -> Result<(), Error> {
    if bucket.is_empty() || expected.is_empty() {
        return Ok(());
    }
    let found = service
        .catalog
        .bucket_by_name(&bucket_name(bucket)?)
        .await?;
    let owner = match found {
        Some(bucket) => service.owner(bucket.account).await?.id,
        None => String::new(),
    };
    if owner == expected {
        Ok(())
    } else {
        Err(Error::AccessDenied)
    }
}
