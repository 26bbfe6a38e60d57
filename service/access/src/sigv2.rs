//! AWS Signature Version 2 for presigned requests and the policies of forms only: what `aws-sdk` for JavaScript v2 and
//! boto3 make by default for custom endpoints. Pure.
//!
//! Source: the S3 developer guide, "Signing and authenticating REST requests", "Query string request authentication
//! alternative". The seven days are ours: version 2 itself has no limit.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;

use super::mac::hmac_sha1;
use super::secret::SecretKey;
use bucketry_domain::{AccessKeyId, Timestamp};

/// How far ahead `Expires` may lie.
pub const MAX_EXPIRES_AHEAD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Most strings to sign that are tried.
const MAX_CANDIDATES: usize = 8;

/// Where a version 2 signature stands, and what limits its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum V2Placement {
    /// In the query.
    Query {
        /// `Expires`: seconds since the Unix epoch.
        expires_seconds: i64,
    },
    /// In a form, whose policy holds the expiry: the edge checks it.
    Form,
}

/// A version 2 request, as its edge has read it. Nothing in it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Claim {
    /// `AWSAccessKeyId`.
    pub access_key_id: AccessKeyId,
    /// Where the signature stands.
    pub placement: V2Placement,
    /// `Signature`, percent-decoded: base64 of 20 bytes.
    pub signature: String,
    /// One to eight strings to sign that mean the same, built at the edge; any match suffices. Of a query each has
    /// `Expires` in its date line; of a form it is the policy in base64.
    pub strings_to_sign: Vec<String>,
}

/// A claim within its time. Only the signature is left to verify.
#[derive(Debug, Clone)]
pub struct CheckedV2Claim(V2Claim);

/// Why a presigned version 2 request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigV2Error {
    /// The claim offers no string to sign, or more than are tried.
    #[error("{count} strings to sign; 1 to {MAX_CANDIDATES} are tried")]
    Candidates {
        /// The number offered.
        count: usize,
    },
    /// `Expires` lies more than seven days ahead.
    #[error("Expires must be less than a week in the future")]
    ExpiresTooFarAhead {
        /// The moment given.
        expires_at: Timestamp,
        /// The time here.
        server_time: Timestamp,
    },
    /// `Expires` has passed (`AccessDenied`, "Request has expired").
    #[error("the request has expired")]
    Expired {
        /// The moment given.
        expired_at: Timestamp,
        /// The time here.
        server_time: Timestamp,
    },
    /// The signature is not the one that this key makes (`SignatureDoesNotMatch`).
    #[error("the signature does not match")]
    SignatureDoesNotMatch {
        /// The key that the request named.
        access_key_id: AccessKeyId,
        /// What would have had to be signed.
        string_to_sign: String,
        /// The signature as given.
        signature_provided: String,
    },
}

impl V2Claim {
    /// Checks the number of candidates, and `Expires` against this server's clock.
    ///
    /// # Errors
    /// A [`SigV2Error`], but never `SignatureDoesNotMatch`.
    pub fn check(self, now: Timestamp) -> Result<CheckedV2Claim, SigV2Error> {
        let count = self.strings_to_sign.len();
        if !(1..=MAX_CANDIDATES).contains(&count) {
            return Err(SigV2Error::Candidates { count });
        }
        let expires_at = match self.placement {
            V2Placement::Query { expires_seconds } => Timestamp::from_seconds(expires_seconds),
            V2Placement::Form => return Ok(CheckedV2Claim(self)),
        };
        if now > expires_at {
            return Err(SigV2Error::Expired {
                expired_at: expires_at,
                server_time: now,
            });
        }
        if expires_at.since(now) > MAX_EXPIRES_AHEAD {
            return Err(SigV2Error::ExpiresTooFarAhead {
                expires_at,
                server_time: now,
            });
        }
        Ok(CheckedV2Claim(self))
    }
}

impl CheckedV2Claim {
    /// The key to look up.
    #[must_use]
    pub fn access_key_id(&self) -> &AccessKeyId {
        &self.0.access_key_id
    }

    /// Verifies the HMAC-SHA1 of the string to sign, in constant time.
    ///
    /// # Errors
    /// [`SigV2Error::SignatureDoesNotMatch`] with what S3 shows of it.
    pub fn verify(&self, secret: &SecretKey) -> Result<(), SigV2Error> {
        let claim = &self.0;
        let claimed = STANDARD.decode(&claim.signature).unwrap_or_default();
        let accepted = claim.strings_to_sign.iter().any(|string_to_sign| {
            let mut mac = hmac_sha1(secret.expose().as_bytes());
            mac.update(string_to_sign.as_bytes());
            // Compares whole tags only: 20 bytes or refused.
            mac.verify_slice(&claimed).is_ok()
        });
        if accepted {
            return Ok(());
        }
        Err(SigV2Error::SignatureDoesNotMatch {
            access_key_id: claim.access_key_id.clone(),
            string_to_sign: claim.strings_to_sign.first().cloned().unwrap_or_default(),
            signature_provided: claim.signature.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXPIRES: i64 = 1_175_139_620;

    fn claim(expires_seconds: i64, signature: &str) -> V2Claim {
        let string_to_sign = format!("GET\n\n\n{expires_seconds}\n/johnsmith/photos/puppy.jpg");
        V2Claim {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            placement: V2Placement::Query { expires_seconds },
            signature: signature.into(),
            strings_to_sign: vec![string_to_sign],
        }
    }

    fn verify(claim: V2Claim, now: i64) -> Result<(), SigV2Error> {
        let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
        claim.check(Timestamp::from_seconds(now))?.verify(&secret)
    }

    const PUBLISHED: &str = "NpgCjnDzrM+WFzoENXmpNDUsSn8=";

    #[test]
    fn published_example_query_string_authentication() {
        assert_eq!(verify(claim(EXPIRES, PUBLISHED), EXPIRES - 60), Ok(()));
    }

    #[test]
    fn valid_until_expires_and_at_most_seven_days_ahead() {
        const WEEK: i64 = 604_800;
        let signed = || claim(EXPIRES, PUBLISHED);
        for now in [EXPIRES, EXPIRES - WEEK] {
            assert_eq!(verify(signed(), now), Ok(()), "{now}");
        }
        assert!(matches!(
            verify(signed(), EXPIRES + 1),
            Err(SigV2Error::Expired { .. })
        ));
        assert!(matches!(
            verify(signed(), EXPIRES - WEEK - 1),
            Err(SigV2Error::ExpiresTooFarAhead { .. })
        ));
        assert!(matches!(
            verify(claim(i64::MAX, PUBLISHED), EXPIRES),
            Err(SigV2Error::ExpiresTooFarAhead { .. })
        ));
        for expires in [i64::MIN, -1, 0] {
            assert!(matches!(
                verify(claim(expires, PUBLISHED), EXPIRES),
                Err(SigV2Error::Expired { .. })
            ));
        }
    }

    /// The signature is botocore's, of `HmacV1PostAuth`.
    #[test]
    fn a_policy_is_signed_itself_and_has_a_time_of_its_own() {
        let policy = "eyJleHBpcmF0aW9uIjoiMjAxMy0wNS0yNVQwMDowMDowMFoifQ==";
        let form = |signature: &str| V2Claim {
            placement: V2Placement::Form,
            strings_to_sign: vec![policy.to_owned()],
            ..claim(EXPIRES, signature)
        };
        for now in [0, EXPIRES, i64::from(u32::MAX)] {
            assert_eq!(verify(form("oX5CAqSA9LpIslGbacbFvXFBLug="), now), Ok(()));
        }
        assert!(matches!(
            verify(form(PUBLISHED), EXPIRES),
            Err(SigV2Error::SignatureDoesNotMatch { string_to_sign, .. }) if string_to_sign == policy
        ));
    }

    #[test]
    fn any_of_eight_strings_matches_and_no_more_are_tried() {
        let with = |count: usize| {
            let mut claim = claim(EXPIRES, PUBLISHED);
            claim
                .strings_to_sign
                .splice(0..0, vec!["GET".to_owned(); count - 1]);
            claim
        };
        assert_eq!(verify(with(8), EXPIRES), Ok(()));
        assert_eq!(
            verify(with(9), EXPIRES),
            Err(SigV2Error::Candidates { count: 9 })
        );
        let none = V2Claim {
            strings_to_sign: Vec::new(),
            ..claim(EXPIRES, PUBLISHED)
        };
        assert_eq!(
            verify(none, EXPIRES),
            Err(SigV2Error::Candidates { count: 0 })
        );
    }

    #[test]
    fn a_changed_expires_or_string_is_refused() {
        assert!(matches!(
            verify(claim(EXPIRES + 1, PUBLISHED), EXPIRES),
            Err(SigV2Error::SignatureDoesNotMatch { .. })
        ));
        for signature in [
            "",
            "not base64!",
            "AAAA",
            &PUBLISHED[..27],
            &format!("{PUBLISHED}="),
        ] {
            let refused = verify(claim(EXPIRES, signature), EXPIRES);
            let Err(SigV2Error::SignatureDoesNotMatch {
                signature_provided, ..
            }) = refused
            else {
                panic!("{signature} was accepted");
            };
            assert_eq!(signature_provided, signature);
        }
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_refused(bit in 0_usize..160) {
            let mut bytes = STANDARD.decode(PUBLISHED).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify(claim(EXPIRES, &STANDARD.encode(bytes)), EXPIRES).is_err());
        }
    }
}
