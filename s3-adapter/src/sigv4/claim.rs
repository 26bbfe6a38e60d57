//! What is claimed, and the ways in which a claim can be malformed.

use http::HeaderMap;
use sha2::{Digest, Sha256};
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::payload::PayloadHash;
use crate::dates;

/// Who a request says it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Nobody: no mechanism was used.
    Anonymous {
        /// How the body is framed; nothing signs it.
        payload: PayloadHash,
    },
    /// The owner of an access key, by SigV4 in the header or the query.
    SigV4(Box<SigV4Claim>),
    /// The owner of an access key, by a SigV2 presigned URL.
    PresignedV2(Box<PresignedV2Claim>),
    /// The owner of an access key, by SigV4 over the policy of a form.
    PostPolicy(Box<PostPolicyClaim>),
    /// The owner of an access key, by SigV2 over the policy of a form.
    PostPolicyV2(Box<PostPolicyV2Claim>),
}

impl Authentication {
    /// How the body is covered and framed.
    #[must_use]
    pub fn payload(&self) -> PayloadHash {
        match self {
            Self::Anonymous { payload } => *payload,
            Self::SigV4(claim) => claim.payload,
            Self::PresignedV2(claim) => claim.payload,
            // What the policy says of the content is judged with the policy.
            Self::PostPolicy(_) | Self::PostPolicyV2(_) => PayloadHash::Unsigned,
        }
    }

    /// Headers that stand in the query of a presigned URL, to be merged into the request's own
    /// before anything else reads them. Signed ones cannot differ from the request's: that was
    /// refused.
    #[must_use]
    pub fn hoisted_headers(&self) -> Option<&HeaderMap> {
        match self {
            Self::Anonymous { .. } | Self::PostPolicy(_) | Self::PostPolicyV2(_) => None,
            Self::SigV4(claim) => Some(&claim.hoisted_headers),
            Self::PresignedV2(claim) => Some(&claim.hoisted_headers),
        }
    }

    /// The access key id, if one was named.
    #[must_use]
    pub fn access_key_id(&self) -> Option<&str> {
        match self {
            Self::Anonymous { .. } => None,
            Self::SigV4(claim) => Some(&claim.access_key_id),
            Self::PresignedV2(claim) => Some(&claim.access_key_id),
            Self::PostPolicy(claim) => Some(&claim.access_key_id),
            Self::PostPolicyV2(claim) => Some(&claim.access_key_id),
        }
    }
}

/// Where a SigV4 signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMode {
    /// In the `Authorization` header.
    Header,
    /// In the query; good from its date for that long.
    Presigned {
        /// 1 to 604,800 seconds (7 days).
        expires_seconds: u32,
    },
}

/// A SigV4 claim, complete and well-formed. Not judged yet: key, signature, region and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigV4Claim {
    /// The access key id of the credential.
    pub access_key_id: String,
    /// Date, region, service and terminator; the last two are checked.
    pub scope: ClaimedScope,
    /// When the request says it was signed.
    pub signed_at: SigningTime,
    /// Where the signature stands.
    pub mode: SignatureMode,
    /// The claimed signature. To be compared in constant time.
    pub signature: [u8; 32],
    /// Canonical requests that the client may have signed, the likeliest first, at most
    /// eight. They differ only in what proxies and clients are known to disagree about: the port of
    /// the host, the encoding of reserved characters in the path, and a rewritten accept-encoding.
    pub canonical_requests: Vec<String>,
    /// How the body is covered and framed.
    pub payload: PayloadHash,
    /// Headers that stand in the query of a presigned URL; empty in the header mode.
    pub hoisted_headers: HeaderMap,
}

impl SigV4Claim {
    /// The string to sign for one of the canonical requests.
    #[must_use]
    pub fn string_to_sign(&self, canonical_request: &str) -> String {
        let hash = hex::encode(Sha256::digest(canonical_request.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{hash}",
            self.signed_at.as_str(),
            self.scope
        )
    }
}

/// A SigV2 presigned claim, complete and well-formed. Not judged yet: key, signature and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedV2Claim {
    /// `AWSAccessKeyId`.
    pub access_key_id: String,
    /// `Expires`, in seconds since 1970.
    pub expires_at_unix_seconds: u64,
    /// The claimed HMAC-SHA1. To be compared in constant time.
    pub signature: [u8; 20],
    /// Strings that the client may have signed, the likeliest first, at most eight.
    pub strings_to_sign: Vec<String>,
    /// How the body is covered and framed; SigV2 knows no chunk signatures.
    pub payload: PayloadHash,
    /// Headers that stand in the query.
    pub hoisted_headers: HeaderMap,
}

/// A claim over the policy of a form, complete and well-formed. Not judged yet: key, signature, region and time, and
/// whether the policy allows the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostPolicyClaim {
    /// The access key id of the credential.
    pub access_key_id: String,
    /// Date, region, service and terminator; the last two are checked.
    pub scope: ClaimedScope,
    /// When the policy says it was signed.
    pub signed_at: SigningTime,
    /// The claimed signature. To be compared in constant time.
    pub signature: [u8; 32],
    /// The policy as it stands in the form, in base64: the string to sign.
    pub policy: String,
}

/// A version 2 claim over the policy of a form. Key, signature and policy are not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostPolicyV2Claim {
    /// `AWSAccessKeyId`.
    pub access_key_id: String,
    /// The claimed HMAC-SHA1 as sent, in base64: what cannot be decoded does not match.
    pub signature: String,
    /// The policy as it stands in the form, in base64: the string to sign.
    pub policy: String,
}

/// The scope of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedScope {
    /// `YYYYMMDD`, equal to the date of the request.
    pub date: String,
    /// The region the client signed for; the service judges it.
    pub region: String,
}

impl std::fmt::Display for ClaimedScope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}/s3/aws4_request", self.date, self.region)
    }
}

/// A time in SigV4's form, `YYYYMMDDTHHMMSSZ`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningTime {
    text: String,
    time: OffsetDateTime,
}

impl SigningTime {
    /// Reads the form strictly.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        if bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let two = |at: usize| Some(digit(bytes[at])? * 10 + digit(bytes[at + 1])?);
        let year = i32::from(two(0)?) * 100 + i32::from(two(2)?);
        let date = Date::from_calendar_date(year, Month::try_from(two(4)?).ok()?, two(6)?);
        let time = Time::from_hms(two(9)?, two(11)?, two(13)?);
        Some(Self {
            text: text.to_owned(),
            time: PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_utc(),
        })
    }

    /// Puts a time (of a `Date` header) into the form.
    pub(super) fn from_time(time: OffsetDateTime) -> Option<Self> {
        let text: String = dates::iso8601(time.unix_timestamp(), 0)
            .chars()
            .take("YYYY-MM-DDTHH:MM:SS".len())
            .filter(|character| !matches!(character, '-' | ':'))
            .chain(['Z'])
            .collect();
        Self::parse(&text)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The date part, `YYYYMMDD`.
    #[must_use]
    pub fn date(&self) -> &str {
        self.text.get(..8).unwrap_or_default()
    }

    /// The moment.
    #[must_use]
    pub fn time(&self) -> OffsetDateTime {
        self.time
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// Why a request's claim was refused before anyone looked at keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Two AWS mechanisms in one request, or one of them twice.
    #[error("more than one authentication mechanism")]
    SeveralMechanisms,
    /// An `Authorization` of another scheme with nothing beside it, or an unknown AWS4 algorithm.
    #[error("unsupported authorization type")]
    UnsupportedAuthorization(String),
    /// SigV2 in the header, or presigned for another method than GET, HEAD and PUT.
    #[error("SigV2 is not supported here")]
    SigV2NotSupported,
    /// SigV4A, which exists in S3 and not here.
    #[error("unsupported algorithm {0:?}")]
    UnsupportedAlgorithm(String),
    /// A session token: there are no temporary credentials.
    #[error("session tokens are not supported")]
    SessionToken,
    /// The `Authorization` header is malformed.
    #[error("malformed authorization header: {0:?}")]
    MalformedHeader(MalformedPart),
    /// The query of a presigned URL is malformed.
    #[error("malformed authorization query: {0:?}")]
    MalformedQuery(MalformedPart),
    /// A field of a form's signature is missing.
    #[error("the form has no field {0}")]
    MissingField(&'static str),
    /// A field of a form's signature is malformed.
    #[error("malformed form field {field}: {part:?}")]
    MalformedField {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        part: MalformedPart,
    },
    /// Neither `x-amz-date` nor `Date` holds a usable time.
    #[error("missing or malformed date")]
    InvalidDate,
    /// A SigV2 presigned URL lacks one of its three parameters, or has a malformed one.
    #[error("malformed SigV2 query parameter {0}")]
    MalformedV2(&'static str),
    /// A query parameter that SigV2 does not sign and that would change the meaning.
    #[error("query parameter {0:?} is not signed by SigV2")]
    UnsignedParameter(String),
    /// Headers that must be signed and are not.
    #[error("headers not signed: {0:?}")]
    HeadersNotSigned(Vec<String>),
    /// A presigned URL and the request disagree about a header.
    #[error("header {0:?} differs from the presigned query")]
    ConflictingHeader(String),
    /// A header-signed request without `x-amz-content-sha256`.
    #[error("missing x-amz-content-sha256")]
    MissingContentSha256,
    /// An unknown `x-amz-content-sha256`.
    #[error("invalid x-amz-content-sha256 {0:?}")]
    InvalidContentSha256(String),
    /// Signed chunks in a request that no key signs, or that SigV2 signs.
    #[error("signed chunks without a SigV4 signature")]
    UnsignedStreaming,
    /// The path or host cannot be put into canonical form.
    #[error("the request target is not canonical")]
    InvalidTarget,
}

/// Which part of a SigV4 credential is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MalformedPart {
    /// A component is missing, repeated or unknown.
    Components,
    /// `Credential` does not have five parts.
    Credential,
    /// The access key id is empty or not printable ASCII.
    AccessKeyId,
    /// The date of the scope is not that of the request.
    ScopeDate {
        /// As given in the credential.
        given: String,
        /// The date of the request.
        expected: String,
    },
    /// The service is not `s3`.
    Service {
        /// As given in the credential.
        given: String,
    },
    /// The terminator is not `aws4_request`.
    Terminator {
        /// As given in the credential.
        given: String,
    },
    /// `SignedHeaders` is not a sorted list of lower-case names without repetition.
    SignedHeaders,
    /// `Signature` is not 64 lower-case hex digits.
    Signature,
    /// `X-Amz-Algorithm` is not `AWS4-HMAC-SHA256`.
    Algorithm,
    /// `X-Amz-Date` is not `YYYYMMDDTHHMMSSZ`.
    Date,
    /// `X-Amz-Expires` is not a number.
    ExpiresNotANumber,
    /// `X-Amz-Expires` is 0 or negative.
    ExpiresTooSmall,
    /// `X-Amz-Expires` is over 7 days.
    ExpiresTooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::format_description;

    proptest! {
        #[test]
        fn dates_are_those_of_the_library(
            text in "[0-9]{8}T[0-9]{6}Z|(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]T[0-2][0-9][0-5][0-9][0-6][0-9]Z|\\PC{16}"
        ) {
            let format = format_description!("[year][month][day]T[hour][minute][second]Z");
            let expected = PrimitiveDateTime::parse(&text, format).ok().map(PrimitiveDateTime::assume_utc);
            prop_assert_eq!(SigningTime::parse(&text).map(|date| date.time()), expected);
        }

        #[test]
        fn a_time_is_put_into_the_form(seconds in -62_167_219_200_i64..253_402_300_800) {
            let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            prop_assert_eq!(SigningTime::from_time(time).map(|date| date.time()), Some(time));
        }
    }
}
