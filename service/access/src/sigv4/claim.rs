//! What a request claims about its signature, and the checks that need no key.

use super::amz_date::AmzDate;
use super::error::SigV4Error;
use super::scope::{AcceptedRegions, CredentialScope, ScopeClaim};
use super::time_window::{check_form_time, check_header_time, check_presigned_time};
use bucketry_domain::{AccessKeyId, Timestamp};

/// Most canonical requests that are tried: as received, with and without the default port of the host, and with the
/// spellings to which proxies rewrite a signed `accept-encoding`.
pub(super) const MAX_CANDIDATES: usize = 8;

/// A request's claim to be signed, as its edge has read it. Nothing in it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V4Claim {
    /// The key that the credential names.
    pub access_key_id: AccessKeyId,
    /// The credential after the access key id.
    pub scope: ScopeClaim,
    /// `x-amz-date`, or the `Date` header brought to the same form.
    pub amz_date: String,
    /// Where the signature stands, which decides for how long it is valid.
    pub placement: SignaturePlacement,
    /// What was signed.
    pub signed: SignedContent,
    /// The signature: 64 lower-case hexadecimal digits.
    pub signature: String,
}

/// Where a signature stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignaturePlacement {
    /// The `Authorization` header.
    Header,
    /// The query of a presigned request.
    Query {
        /// `X-Amz-Expires` as given, in seconds.
        expires: i64,
    },
    /// A form field.
    Form,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedContent {
    /// One to eight canonical requests that mean the same; any match suffices.
    CanonicalRequests(Vec<String>),
    /// A form's policy, in base64 as received.
    Policy(String),
}

/// A claim whose form, scope and time are right. Only the signature is left to verify.
#[derive(Debug, Clone)]
pub struct CheckedClaim {
    pub(super) access_key_id: AccessKeyId,
    pub(super) scope: CredentialScope,
    pub(super) amz_date: AmzDate,
    pub(super) signed: SignedContent,
    pub(super) signature: String,
}

impl V4Claim {
    /// Checks date, scope, time window and number of candidates. `now` is this server's clock.
    ///
    /// # Errors
    /// The first [`SigV4Error`] found; never `SignatureDoesNotMatch`.
    pub fn check(
        self,
        regions: &AcceptedRegions,
        now: Timestamp,
    ) -> Result<CheckedClaim, SigV4Error> {
        let Some(amz_date) = AmzDate::parse(&self.amz_date) else {
            return Err(SigV4Error::AmzDateMalformed {
                given: self.amz_date,
            });
        };
        let scope = CredentialScope::check(&self.scope, amz_date, regions)?;
        match self.placement {
            SignaturePlacement::Header => check_header_time(amz_date, now)?,
            SignaturePlacement::Query { expires } => check_presigned_time(amz_date, expires, now)?,
            SignaturePlacement::Form => check_form_time(amz_date, now)?,
        }
        if let SignedContent::CanonicalRequests(candidates) = &self.signed
            && !(1..=MAX_CANDIDATES).contains(&candidates.len())
        {
            return Err(SigV4Error::Candidates {
                count: candidates.len(),
            });
        }
        Ok(CheckedClaim {
            access_key_id: self.access_key_id,
            scope,
            amz_date,
            signed: self.signed,
            signature: self.signature,
        })
    }
}

impl CheckedClaim {
    /// The key to look up.
    #[must_use]
    pub fn access_key_id(&self) -> &AccessKeyId {
        &self.access_key_id
    }

    /// The scope of the signing key.
    #[must_use]
    pub fn scope(&self) -> &CredentialScope {
        &self.scope
    }
}
