use std::net::IpAddr;
use std::sync::Arc;

use bucketry_contract::adapter::v1::{AuthorizeRequest, AuthorizeResponse};
use bucketry_edge::fair::{Slot, on_behalf};
use bytes::Bytes;

use super::decision::decide;
use crate::access::{
    self, ClientAddress, ExpectedOwners, MAX_SESSION_LIFE, OperationSession, Origin,
};
use crate::convert::bucket_name;
use crate::domain::AccountId;
use crate::error::Error;
use crate::request::{
    LocalDecision, PresumedCaller, Requirements, Service, fair_caller, session_use,
};

/// Decides on an S3 request before its body is read. The edge is trusted for the client's address: it has signed in, or
/// is in this process.
///
/// For an edge in a process of its own the answer has a session; for the one in this process there is a decision, and a
/// slot, which is held until the answer has been sent.
pub(crate) async fn authorize(
    service: &Service,
    mut asked: AuthorizeRequest,
    shares: SharedBy,
) -> Result<EdgeAnswer, Error> {
    let origin = Origin {
        address: client_address(&asked.client_address)?,
        request_id: asked.request_id.as_str().into(),
        operation: operation(&asked).into(),
        user_agent: Origin::user_agent(&asked.user_agent),
    };
    on_behalf::set_address(origin.address.ip());
    let claim = asked.claim.take();
    let decision = decide(service, claim, &asked, origin, shares).await?;
    let sharer = fair_caller(&decision.caller);
    // Before it is counted: what is refused was no use of the key.
    let owners = match demands_owners(&asked) {
        // Rare: it would make the future of every request larger.
        true => Box::pin(expected_owners(service, &asked)).await?,
        false => ExpectedOwners::default(),
    };
    let slot = match shares {
        SharedBy::Service => Some(service.slot(sharer).await?),
        SharedBy::Edge => None,
    };
    // By remembered rows the call may still refuse what is counted here: at most the first request of a key on this node
    // after an edit on another. A key with limits is decided on by current rows.
    let counted = service.ledger.request(
        &service.catalog,
        &decision.caller,
        decision.requirements.request_class(),
        decision.requirements.resource(),
    );
    counted.await?;
    let session = match slot {
        Some(_) => String::new(),
        None => session(service, &decision.caller, &decision.requirements, owners),
    };
    let response = AuthorizeResponse {
        session,
        chunk_signing_key: decision
            .signing_key
            .filter(|_| asked.chunk_signed)
            .map(|key| Bytes::copy_from_slice(key.expose()))
            .unwrap_or_default(),
        account: sharer.account,
        access_key: sharer.key,
    };
    let local = slot.map(|slot| {
        let presumed = PresumedCaller::of_decision(decision.caller, decision.rows, owners);
        Local {
            slot: Arc::new(slot),
            decision: LocalDecision::new(presumed, decision.requirements),
        }
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
fn session(
    service: &Service,
    caller: &access::Caller,
    requirements: &Requirements,
    owners: ExpectedOwners,
) -> String {
    let usage = session_use(requirements);
    let session = OperationSession {
        owners,
        ..OperationSession::new(caller, usage, service.now(), MAX_SESSION_LIFE)
    };
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

fn demands_owners(asked: &AuthorizeRequest) -> bool {
    !asked.expected_bucket_owner.is_empty() || !asked.expected_source_bucket_owner.is_empty()
}

/// The accounts that the request demands as owners of its buckets, by `x-amz-expected-bucket-owner` and its like for the
/// source of a copy. The call holds the buckets that it finds to them.
async fn expected_owners(
    service: &Service,
    asked: &AuthorizeRequest,
) -> Result<ExpectedOwners, Error> {
    let (of_bucket, of_source) = (
        &asked.expected_bucket_owner,
        &asked.expected_source_bucket_owner,
    );
    Ok(ExpectedOwners {
        bucket: expected_owner(service, &asked.bucket, of_bucket).await?,
        source: expected_owner(service, &asked.copy_source_bucket, of_source).await?,
    })
}

/// The account of a bucket, if an owner is demanded of it. A bucket that is not the expected account's is refused.
async fn expected_owner(
    service: &Service,
    bucket: &str,
    expected: &str,
) -> Result<Option<AccountId>, Error> {
    if bucket.is_empty() || expected.is_empty() {
        return Ok(None);
    }
    let name = bucket_name(bucket)?;
    let found = service.catalog.bucket_by_name(&name).await?;
    let account = found.ok_or(Error::AccessDenied)?.account;
    match service.owner(account).await?.id == expected {
        true => Ok(Some(account)),
        false => Err(Error::AccessDenied),
    }
}
