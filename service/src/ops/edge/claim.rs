//! Reads a signature claim and verifies it.

use std::sync::Arc;

use bucketry_contract::adapter::v1::{SignatureClaim, SignatureKind};

use crate::access::authenticate::{AuthenticateError, authenticate_v2, authenticate_v4};
use crate::access::sigv2::{CheckedV2Claim, SigV2Error, V2Claim, V2Placement};
use crate::access::sigv4::{
    CheckedClaim, ScopeClaim, SigV4Error, SignaturePlacement, SignedContent, SigningKey, V4Claim,
};
use crate::access::{self, KeyFacts, Origin};
use crate::catalog::model::AccessKey;
use crate::config::SignatureV2;
use crate::domain::AccessKeyId;
use crate::error::{ClaimError, ClaimPlace, Error};
use crate::request::{Resource, Service};

const NOT_SUPPORTED: &str = "The authorization mechanism you have provided is not supported. \
                             Please use AWS4-HMAC-SHA256.";

/// A claim whose form and time are right.
pub(super) enum CheckedSignature {
    V4(ClaimPlace, CheckedClaim),
    V2(CheckedV2Claim),
}

/// A claim that has been verified.
pub(super) struct VerifiedClaim {
    pub(super) caller: access::Caller,
    /// The row of the key with which it was verified.
    pub(super) row: Arc<AccessKey>,
    /// The day's signing key; only SigV4 has one.
    pub(super) signing_key: Option<Arc<SigningKey>>,
}

/// Checks form and time of a claim. This comes first, so that a stranger cannot make us read keys.
pub(super) fn check(service: &Service, claim: SignatureClaim) -> Result<CheckedSignature, Error> {
    match claim.kind() {
        SignatureKind::V4Header => check_v4(service, claim, ClaimPlace::Header),
        SignatureKind::V4Presigned => check_v4(service, claim, ClaimPlace::Query),
        SignatureKind::V4PostPolicy => check_v4(service, claim, ClaimPlace::Form),
        SignatureKind::V2Presigned => {
            let expires_seconds = claim.expires;
            check_v2(service, claim, V2Placement::Query { expires_seconds })
        }
        SignatureKind::V2PostPolicy => check_v2(service, claim, V2Placement::Form),
        SignatureKind::Unspecified => Err(ClaimError::Malformed(ClaimPlace::Header).into()),
    }
}

/// Verifies a claim against the current row of the key that it names, and records a signature that was not made with the
/// key's secret.
pub(super) async fn verify(
    service: &Service,
    claim: &CheckedSignature,
    origin: Origin,
    resource: Resource<'_>,
) -> Result<VerifiedClaim, Error> {
    let row = service.key_row_of(claim.access_key_id()).await?;
    let facts = Arc::new(KeyFacts::from(row.as_ref()));
    let verified = claim.authenticate(service, row, Arc::clone(&facts), origin.clone());
    verified.map_err(|error| match error {
        AuthenticateError::Claim(error) => {
            (service.ledger).wrong_proof(&facts, "signature", &origin, resource);
            error.into()
        }
        AuthenticateError::Secret(error) => error,
        AuthenticateError::OtherKey => Error::internal("facts of another key"),
    })
}

/// Verifies a claim against the row of its key that the catalog remembers, which may be outdated. `None` if there is
/// none, or the claim does not agree with it.
pub(super) fn verify_remembered(
    service: &Service,
    claim: &CheckedSignature,
    origin: Origin,
) -> Option<VerifiedClaim> {
    let row = service.remembered_key_row(claim.access_key_id())?;
    let facts = Arc::new(KeyFacts::from(row.as_ref()));
    claim.authenticate(service, row, facts, origin).ok()
}

impl CheckedSignature {
    fn access_key_id(&self) -> &AccessKeyId {
        match self {
            Self::V4(_, claim) => claim.access_key_id(),
            Self::V2(claim) => claim.access_key_id(),
        }
    }

    /// Verifies the claim against a row whose seal was opened, and its facts.
    fn authenticate(
        &self,
        service: &Service,
        row: Arc<AccessKey>,
        facts: Arc<KeyFacts>,
        origin: Origin,
    ) -> Result<VerifiedClaim, AuthenticateError<ClaimError, Error>> {
        let open = || service.open_secret(&row);
        let (caller, signing_key) = match self {
            Self::V4(place, claim) => {
                let keys = service.signing_keys_of(&row);
                let verified = authenticate_v4(claim, facts, keys, open, origin);
                let verified = verified
                    .map_err(|error| of_claim(error, |error| ClaimError::V4(*place, error)))?;
                (verified.caller, Some(verified.signing_key))
            }
            Self::V2(claim) => {
                let verified = authenticate_v2(claim, facts, open, origin);
                (
                    verified.map_err(|error| of_claim(error, ClaimError::V2))?,
                    None,
                )
            }
        };
        Ok(VerifiedClaim {
            caller,
            row,
            signing_key,
        })
    }
}

fn of_claim<C>(
    error: AuthenticateError<C, Error>,
    convert: impl FnOnce(C) -> ClaimError,
) -> AuthenticateError<ClaimError, Error> {
    match error {
        AuthenticateError::Claim(error) => AuthenticateError::Claim(convert(error)),
        AuthenticateError::Secret(error) => AuthenticateError::Secret(error),
        AuthenticateError::OtherKey => AuthenticateError::OtherKey,
    }
}

fn access_key_id(text: &str) -> Result<AccessKeyId, Error> {
    text.parse().map_err(|_| Error::InvalidAccessKeyId {
        access_key_id: text.chars().take(128).collect(),
    })
}

fn check_v4(
    service: &Service,
    claim: SignatureClaim,
    place: ClaimPlace,
) -> Result<CheckedSignature, Error> {
    let refuse = |error: SigV4Error| Error::from(ClaimError::V4(place, error));
    let signed = match place {
        ClaimPlace::Header | ClaimPlace::Query => {
            SignedContent::CanonicalRequests(claim.canonical_requests)
        }
        ClaimPlace::Form => SignedContent::Policy(
            claim
                .canonical_requests
                .into_iter()
                .next()
                .ok_or(ClaimError::Malformed(place))?,
        ),
    };
    let claim = V4Claim {
        access_key_id: access_key_id(&claim.access_key_id)?,
        scope: ScopeClaim {
            date: claim.scope_date,
            region: claim.scope_region,
            service: claim.scope_service,
            terminator: claim.scope_terminator,
        },
        amz_date: claim.amz_date,
        placement: match place {
            ClaimPlace::Header => SignaturePlacement::Header,
            ClaimPlace::Query => SignaturePlacement::Query {
                expires: claim.expires,
            },
            ClaimPlace::Form => SignaturePlacement::Form,
        },
        signed,
        signature: claim.signature,
    };
    let regions = &service.settings.accepted_regions;
    let checked = claim.check(regions, service.now()).map_err(refuse)?;
    Ok(CheckedSignature::V4(place, checked))
}

fn check_v2(
    service: &Service,
    claim: SignatureClaim,
    placement: V2Placement,
) -> Result<CheckedSignature, Error> {
    if service.settings.signature_v2 == SignatureV2::Off {
        return Err(Error::InvalidRequest(NOT_SUPPORTED));
    }
    let refuse = |error: SigV2Error| Error::from(ClaimError::V2(error));
    let claim = V2Claim {
        access_key_id: access_key_id(&claim.access_key_id)?,
        placement,
        signature: claim.signature,
        strings_to_sign: claim.canonical_requests,
    };
    Ok(CheckedSignature::V2(
        claim.check(service.now()).map_err(refuse)?,
    ))
}
