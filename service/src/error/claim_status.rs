use std::collections::HashMap;

use bucketry_contract::v1::ErrorReason;

use super::claim::{ClaimError, ClaimPlace};
use super::status::facts;
use crate::access::sigv2::SigV2Error;
use crate::access::sigv4::{ScopeProblem, SigV4Error};
use crate::domain::Timestamp;

/// What S3's answers show of a refused signature.
pub(super) fn claim_parts(claim: &ClaimError) -> (ErrorReason, HashMap<String, String>) {
    match claim {
        ClaimError::V4(place, error) => v4_parts(*place, error),
        ClaimError::V2(error) => v2_parts(error),
        ClaimError::Malformed(place) => (malformed(*place), facts([])),
    }
}

fn malformed(place: ClaimPlace) -> ErrorReason {
    match place {
        ClaimPlace::Header => ErrorReason::AuthorizationHeaderMalformed,
        ClaimPlace::Query => ErrorReason::AuthorizationQueryParametersError,
        ClaimPlace::Form => ErrorReason::InvalidArgument,
    }
}

fn v4_parts(place: ClaimPlace, error: &SigV4Error) -> (ErrorReason, HashMap<String, String>) {
    let time = |at: &Timestamp| at.as_seconds().to_string();
    match error {
        SigV4Error::AmzDateMalformed { .. } | SigV4Error::Candidates { .. } => {
            (ErrorReason::AccessDenied, facts([]))
        }
        SigV4Error::Scope(ScopeProblem::Region { expected, .. }) => {
            (malformed(place), facts([("region", expected.clone())]))
        }
        SigV4Error::Scope(_) | SigV4Error::ExpiresOutOfRange { .. } => {
            (malformed(place), facts([]))
        }
        SigV4Error::RequestTimeTooSkewed {
            request_time,
            server_time,
            max_skew_milliseconds,
        } => (
            ErrorReason::RequestTimeTooSkewed,
            facts([
                ("request_time", request_time.to_string()),
                ("server_time_seconds", time(server_time)),
                (
                    "max_allowed_skew_milliseconds",
                    max_skew_milliseconds.to_string(),
                ),
            ]),
        ),
        SigV4Error::Expired {
            expires_seconds,
            expired_at,
            server_time,
        } => (
            ErrorReason::RequestExpired,
            facts([
                (
                    "x_amz_expires",
                    expires_seconds
                        .map(|seconds| seconds.to_string())
                        .unwrap_or_default(),
                ),
                ("expires_seconds", time(expired_at)),
                ("server_time_seconds", time(server_time)),
            ]),
        ),
        SigV4Error::NotYetValid { server_time, .. } => (
            ErrorReason::RequestExpired,
            facts([("server_time_seconds", time(server_time))]),
        ),
        SigV4Error::SignatureDoesNotMatch(mismatch) => (
            ErrorReason::SignatureDoesNotMatch,
            facts([
                ("access_key_id", mismatch.access_key_id.to_string()),
                ("string_to_sign", mismatch.string_to_sign.clone()),
                ("signature_provided", mismatch.signature_provided.clone()),
                (
                    "canonical_request",
                    mismatch.canonical_request.clone().unwrap_or_default(),
                ),
            ]),
        ),
    }
}

fn v2_parts(error: &SigV2Error) -> (ErrorReason, HashMap<String, String>) {
    match error {
        SigV2Error::Candidates { .. } | SigV2Error::ExpiresTooFarAhead { .. } => {
            (ErrorReason::AccessDenied, facts([]))
        }
        SigV2Error::Expired {
            expired_at,
            server_time,
        } => (
            ErrorReason::RequestExpired,
            facts([
                ("expires_seconds", expired_at.as_seconds().to_string()),
                ("server_time_seconds", server_time.as_seconds().to_string()),
            ]),
        ),
        SigV2Error::SignatureDoesNotMatch {
            access_key_id,
            string_to_sign,
            signature_provided,
        } => (
            ErrorReason::SignatureDoesNotMatch,
            facts([
                ("access_key_id", access_key_id.to_string()),
                ("string_to_sign", string_to_sign.clone()),
                ("signature_provided", signature_provided.clone()),
            ]),
        ),
    }
}
