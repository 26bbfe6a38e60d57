//! Reads a signature claim and verifies it.

use std::sync::Arc;

use bucketry_contract::adapter::v1::{SignatureClaim, SignatureKind};
use bytes::Bytes;

use crate::access::authenticate::{AuthenticateError, authenticate_v2, authenticate_v4};
use crate::access::sigv2::{SigV2Error, V2Claim, V2Placement};
use crate::access::sigv4::{AcceptedRegions, Placement, ScopeClaim, SigV4Error, Signed, V4Claim};
use crate::access::{self, KeyFacts, Origin};
use crate::config::SignatureV2;
use crate::domain::AccessKeyId;
use crate::error::{ClaimError, ClaimPlace, Error};
use crate::request::{Resource, Service};

const NOT_SUPPORTED: &str = "The authorization mechanism you have provided is not supported. \
                             Please use AWS4-HMAC-SHA256.";

/// A claim that has been verified.
pub(super) struct VerifiedClaim {
    pub(super) caller: access::Caller,
    /// The day's signing key; only SigV4 has one.
    pub(super) chunk_key: Option<Bytes>,
}

/// The request that carries a claim.
pub(super) struct ClaimContext<'a> {
    pub(super) origin: Origin,
    pub(super) resource: Resource<'a>,
}

impl ClaimContext<'_> {
    /// Records a signature that was not made with the key's secret.
    fn record_mismatch(&self, service: &Service, key: &KeyFacts) {
        let (origin, resource) = (&self.origin, self.resource);
        (service.ledger).wrong_proof(key, "signature", origin, resource);
    }
}

/// Verifies a claim against the key that it names. Form and time first, so that a stranger cannot make us read keys.
pub(super) async fn verify(
    service: &Service,
    claim: SignatureClaim,
    context: ClaimContext<'_>,
) -> Result<VerifiedClaim, Error> {
    match claim.kind() {
        SignatureKind::V4Header => v4(service, claim, ClaimPlace::Header, context).await,
        SignatureKind::V4Presigned => v4(service, claim, ClaimPlace::Query, context).await,
        SignatureKind::V4PostPolicy => v4(service, claim, ClaimPlace::Form, context).await,
        SignatureKind::V2Presigned => {
            let expires_seconds = claim.expires;
            v2(
                service,
                claim,
                V2Placement::Query { expires_seconds },
                context,
            )
            .await
        }
        SignatureKind::V2PostPolicy => v2(service, claim, V2Placement::Form, context).await,
        SignatureKind::Unspecified => Err(ClaimError::Malformed(ClaimPlace::Header).into()),
    }
}

fn access_key_id(text: &str) -> Result<AccessKeyId, Error> {
    text.parse().map_err(|_| Error::InvalidAccessKeyId {
        access_key_id: text.chars().take(128).collect(),
    })
}

async fn v4(
    service: &Service,
    claim: SignatureClaim,
    place: ClaimPlace,
    context: ClaimContext<'_>,
) -> Result<VerifiedClaim, Error> {
    let refuse = |error: SigV4Error| Error::from(ClaimError::V4(place, error));
    let signed = match place {
        ClaimPlace::Header | ClaimPlace::Query => {
            Signed::CanonicalRequests(claim.canonical_requests)
        }
        ClaimPlace::Form => Signed::Policy(
            claim
                .canonical_requests
                .into_iter()
                .next()
                .ok_or(ClaimError::Malformed(place))?,
        ),
    };
    let checked = V4Claim {
        access_key_id: access_key_id(&claim.access_key_id)?,
        scope: ScopeClaim {
            date: claim.scope_date,
            region: claim.scope_region,
            service: claim.scope_service,
            terminator: claim.scope_terminator,
        },
        amz_date: claim.amz_date,
        placement: match place {
            ClaimPlace::Header => Placement::Header,
            ClaimPlace::Query => Placement::Query {
                expires: claim.expires,
            },
            ClaimPlace::Form => Placement::Form,
        },
        signed,
        signature: claim.signature,
    }
    .check(
        &AcceptedRegions::new(&service.settings.region),
        service.now(),
    )
    .map_err(refuse)?;
    let (_, row) = service.key_row(checked.access_key_id().as_str()).await?;
    let facts = Arc::new(KeyFacts::from(row.as_ref()));
    // The seal was opened: its nonce has the length.
    let nonce = row.secret.nonce.as_slice().try_into().unwrap_or_default();
    let authenticated = authenticate_v4(
        &checked,
        Arc::clone(&facts),
        service.signing_keys.under(nonce),
        || service.open_secret(&row),
        context.origin.clone(),
    );
    match authenticated {
        Ok(verified) => Ok(VerifiedClaim {
            caller: verified.caller,
            chunk_key: Some(Bytes::copy_from_slice(verified.signing_key.expose())),
        }),
        Err(AuthenticateError::Claim(error)) => {
            context.record_mismatch(service, &facts);
            Err(refuse(error))
        }
        Err(AuthenticateError::Secret(error)) => Err(error),
        Err(AuthenticateError::OtherKey) => Err(Error::internal("facts of another key")),
    }
}

async fn v2(
    service: &Service,
    claim: SignatureClaim,
    placement: V2Placement,
    context: ClaimContext<'_>,
) -> Result<VerifiedClaim, Error> {
    if service.settings.signature_v2 == SignatureV2::Off {
        return Err(Error::InvalidRequest(NOT_SUPPORTED));
    }
    let refuse = |error: SigV2Error| Error::from(ClaimError::V2(error));
    let checked = V2Claim {
        access_key_id: access_key_id(&claim.access_key_id)?,
        placement,
        signature: claim.signature,
        strings_to_sign: claim.canonical_requests,
    }
    .check(service.now())
    .map_err(refuse)?;
    let (_, row) = service.key_row(checked.access_key_id().as_str()).await?;
    let facts = Arc::new(KeyFacts::from(row.as_ref()));
    let open = || service.open_secret(&row);
    match authenticate_v2(&checked, Arc::clone(&facts), open, context.origin.clone()) {
        Ok(caller) => Ok(VerifiedClaim {
            caller,
            chunk_key: None,
        }),
        Err(AuthenticateError::Claim(error)) => {
            context.record_mismatch(service, &facts);
            Err(refuse(error))
        }
        Err(AuthenticateError::Secret(error)) => Err(error),
        Err(AuthenticateError::OtherKey) => Err(Error::internal("facts of another key")),
    }
}
