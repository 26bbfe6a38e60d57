//! Why a signature is refused.

use crate::access::sigv2::SigV2Error;
use crate::access::sigv4::SigV4Error;

/// Where a signature stands: S3 has other codes for a header than for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimPlace {
    Header,
    Query,
    Form,
}

/// Why a claim is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("{}", v4_message(.1))]
    V4(ClaimPlace, SigV4Error),
    #[error("{}", v2_message(.0))]
    V2(SigV2Error),
    #[error("the signature cannot be read")]
    Malformed(ClaimPlace),
}

/// S3's own words where clients look for them.
fn v4_message(error: &SigV4Error) -> String {
    match error {
        SigV4Error::SignatureDoesNotMatch(_) => MISMATCH.to_owned(),
        SigV4Error::RequestTimeTooSkewed { .. } => {
            "The difference between the request time and the current time is too large.".to_owned()
        }
        SigV4Error::Expired { .. } => "Request has expired".to_owned(),
        SigV4Error::NotYetValid { .. } => "Request is not valid yet".to_owned(),
        SigV4Error::AmzDateMalformed { .. } => {
            "AWS authentication requires a valid Date or x-amz-date header".to_owned()
        }
        SigV4Error::Scope(problem) => problem.to_string(),
        SigV4Error::ExpiresOutOfRange { .. } | SigV4Error::Candidates { .. } => error.to_string(),
    }
}

fn v2_message(error: &SigV2Error) -> String {
    match error {
        SigV2Error::SignatureDoesNotMatch { .. } => MISMATCH.to_owned(),
        SigV2Error::Expired { .. } => "Request has expired".to_owned(),
        SigV2Error::ExpiresTooFarAhead { .. } | SigV2Error::Candidates { .. } => error.to_string(),
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. \
                        Check your key and signing method.";
