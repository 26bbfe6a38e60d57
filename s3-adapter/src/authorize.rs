//! Asks the service whether an operation may be done, before the body is polled.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::adapter::v1::{
    AuthorizeRequest, AuthorizeResponse, SignatureClaim, SignatureKind,
};
use bucketry_contract::v1::ErrorReason;
use bucketry_edge::fair::{FairCaller, ShareExceeded, Slot};
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName};

use crate::client_info::Client;
use crate::copy_source::CopySource;
use crate::edge::Edge;
use crate::error::S3Error;
use crate::fault::of_reason;
use crate::generated::{Operation, ParsedRequest};
use crate::header_names::{
    X_AMZ_COPY_SOURCE, X_AMZ_EXPECTED_BUCKET_OWNER, X_AMZ_SOURCE_EXPECTED_BUCKET_OWNER,
};
use crate::sigv4::{
    Authentication, PostPolicyClaim, PostPolicyV2Claim, PresignedV2Claim, SigV4Claim,
    SignatureMode, hex_text,
};
use crate::target::Target;

/// One request, as far as the decision on it goes.
pub(crate) struct Asked<'a> {
    pub(crate) operation: Operation,
    /// The typed head, if it could be read: it says what the operation needs. If not, the caller is still judged, so that
    /// a stranger learns nothing but that.
    pub(crate) parsed: Option<&'a ParsedRequest>,
    /// What was signed is moved out of it.
    pub(crate) authentication: &'a mut Authentication,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) client: &'a Client,
    /// What happens between the answer and the operation's call.
    pub(crate) next: Next,
}

/// What the pipeline does with a request that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It calls the operation.
    Call,
    /// It reads the body or refuses the request.
    Other,
}

/// What a request that is allowed goes on with.
pub(crate) struct Authorized {
    pub(crate) decision: AuthorizeResponse,
    /// The request's slot.
    pub(crate) slot: Arc<Slot>,
    /// What a service in this process sends along with its answer, for the operation's call: its decision, in place of
    /// the session that a service in another process gives.
    pub(crate) carried: http::Extensions,
}

/// Asks whether an operation on a resource may be done.
///
/// # Errors
/// The service's refusal; `SlowDown` if the caller has its share of requests already.
pub(crate) async fn authorize(edge: &Edge, asked: Asked<'_>) -> Result<Authorized, S3Error> {
    let request = tonic::Request::new(message(asked));
    let answer = edge.authority.authorize(request).await?;
    let (_, decision, mut carried) = answer.into_parts();
    // A service in this process has already given a slot; one in another process divides its own slots.
    let slot = match carried.remove::<Arc<Slot>>() {
        Some(slot) => slot,
        None => {
            // What the connection to another process says is not about the operation.
            carried.clear();
            let caller = FairCaller {
                account: decision.account,
                key: decision.access_key,
            };
            let slot = edge.fair.open(caller).await.map_err(slow_down)?;
            Arc::new(slot)
        }
    };
    Ok(Authorized {
        decision,
        slot,
        carried,
    })
}

/// The error of a caller whose share is used up.
pub(crate) fn slow_down(refused: ShareExceeded) -> S3Error {
    tracing::debug!(bound = refused.label(), "request refused: share used up");
    of_reason(ErrorReason::SlowDown, "")
}

fn message(asked: Asked<'_>) -> AuthorizeRequest {
    let owned = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let actions = asked.parsed.map(ParsedRequest::actions);
    let actions = actions.into_iter().flatten();
    let source_owner = header(asked.headers, &X_AMZ_SOURCE_EXPECTED_BUCKET_OWNER);
    let source_bucket = match source_owner.is_empty() {
        true => String::new(),
        false => CopySource::parse(&header(asked.headers, &X_AMZ_COPY_SOURCE))
            .map(|source| source.bucket)
            .unwrap_or_default(),
    };
    let chunk_signed = asked.authentication.payload().has_signed_chunks();
    AuthorizeRequest {
        claim: claim(asked.authentication),
        rpc: asked.operation.rpc().to_owned(),
        operation: asked.operation.name().to_owned(),
        set_paths: owned(asked.operation.set_paths()),
        clear_paths: owned(asked.operation.clear_paths()),
        bucket: asked.target.bucket().unwrap_or_default().to_owned(),
        key: asked.target.key().unwrap_or_default().to_owned(),
        client_address: asked.client.address_text(),
        request_id: asked.client.request_id.as_str().to_owned(),
        chunk_signed,
        expected_bucket_owner: header(asked.headers, &X_AMZ_EXPECTED_BUCKET_OWNER),
        copy_source_bucket: source_bucket,
        expected_source_bucket_owner: source_owner,
        raised: actions.map(|action| action.class.into()).collect(),
        user_agent: header(asked.headers, &USER_AGENT),
        call_follows: asked.next == Next::Call,
    }
}

fn header(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

fn claim(authentication: &mut Authentication) -> Option<SignatureClaim> {
    match authentication {
        Authentication::Anonymous { .. } => None,
        Authentication::SigV4(claim) => Some(v4_claim(claim)),
        Authentication::PresignedV2(claim) => Some(v2_claim(claim)),
        Authentication::PostPolicy(claim) => Some(form_claim(claim)),
        Authentication::PostPolicyV2(claim) => Some(form_v2_claim(claim)),
    }
}

fn v4_claim(claim: &mut SigV4Claim) -> SignatureClaim {
    let (kind, expires) = match claim.mode {
        SignatureMode::Header => (SignatureKind::V4Header, 0),
        SignatureMode::Presigned { expires_seconds } => {
            (SignatureKind::V4Presigned, i64::from(expires_seconds))
        }
    };
    SignatureClaim {
        kind: kind.into(),
        access_key_id: claim.access_key_id.clone(),
        amz_date: claim.signed_at.as_str().to_owned(),
        scope_date: claim.scope.date.clone(),
        scope_region: claim.scope.region.clone(),
        // The parser has refused everything else.
        scope_service: "s3".to_owned(),
        scope_terminator: "aws4_request".to_owned(),
        signature: hex_text(&claim.signature),
        canonical_requests: std::mem::take(&mut claim.canonical_requests),
        expires,
    }
}

fn v2_claim(claim: &mut PresignedV2Claim) -> SignatureClaim {
    SignatureClaim {
        kind: SignatureKind::V2Presigned.into(),
        access_key_id: claim.access_key_id.clone(),
        signature: STANDARD.encode(claim.signature),
        canonical_requests: std::mem::take(&mut claim.strings_to_sign),
        // Further ahead than any clock counts is further than seven days.
        expires: i64::try_from(claim.expires_at_unix_seconds).unwrap_or(i64::MAX),
        ..SignatureClaim::default()
    }
}

fn form_claim(claim: &PostPolicyClaim) -> SignatureClaim {
    SignatureClaim {
        kind: SignatureKind::V4PostPolicy.into(),
        access_key_id: claim.access_key_id.clone(),
        amz_date: claim.signed_at.as_str().to_owned(),
        scope_date: claim.scope.date.clone(),
        scope_region: claim.scope.region.clone(),
        // The parser has refused everything else.
        scope_service: "s3".to_owned(),
        scope_terminator: "aws4_request".to_owned(),
        signature: hex_text(&claim.signature),
        canonical_requests: vec![claim.policy.clone()],
        expires: 0,
    }
}

fn form_v2_claim(claim: &PostPolicyV2Claim) -> SignatureClaim {
    SignatureClaim {
        kind: SignatureKind::V2PostPolicy.into(),
        access_key_id: claim.access_key_id.clone(),
        signature: claim.signature.clone(),
        canonical_requests: vec![claim.policy.clone()],
        ..SignatureClaim::default()
    }
}
