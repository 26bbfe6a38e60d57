//! AWS Signature Version 2 for presigned requests only: what `aws-sdk` for JavaScript v2 makes for every custom
//! endpoint. Pure.
//!
//! Source: the S3 developer guide, "Signing and authenticating REST requests", "Query string request authentication
//! alternative". The seven days are ours: version 2 itself has no limit.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;

use super::mac::hmac_sha1;
use super::secret::SecretKey;
use crate::domain::{AccessKeyId, Timestamp};

/// How far ahead `Expires` may lie.
pub const MAX_EXPIRES_AHEAD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A presigned version 2 request, as its edge has read it. Nothing in it is trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V2Claim {
    /// `AWSAccessKeyId`.
    pub access_key_id: AccessKeyId,
    /// `Expires` as given: seconds since the Unix epoch.
    pub expires: String,
    /// `Signature`, percent-decoded: base64 of 20 bytes.
    pub signature: String,
    /// The string to sign, built at the edge; it contains `expires` in its date line.
    pub string_to_sign: String,
}

/// A claim within its time. Only the signature is left to verify.
#[derive(Debug, Clone)]
pub struct CheckedV2Claim(V2Claim);

/// Why a presigned version 2 request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigV2Error {
    /// `Expires` is no plain number.
    #[error("Expires should be a number of seconds since 1970")]
    ExpiresNotANumber {
        /// What was given.
        given: String,
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
    /// Checks `Expires` against this server's clock.
    ///
    /// # Errors
    /// A [`SigV2Error`] about `Expires`.
    pub fn check(self, now: Timestamp) -> Result<CheckedV2Claim, SigV2Error> {
        let plain =
            !self.expires.is_empty() && self.expires.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = if plain {
            self.expires.parse::<i64>().ok()
        } else {
            None
        };
        let Some(seconds) = seconds else {
            return Err(SigV2Error::ExpiresNotANumber {
                given: self.expires,
            });
        };
        let expires_at = Timestamp::from_seconds(seconds);
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
        let accepted = STANDARD.decode(&claim.signature).is_ok_and(|claimed| {
            let mut mac = hmac_sha1(secret.expose().as_bytes());
            mac.update(claim.string_to_sign.as_bytes());
            // Compares whole tags only: 20 bytes or refused.
            mac.verify_slice(&claimed).is_ok()
        });
        if accepted {
            return Ok(());
        }
        Err(SigV2Error::SignatureDoesNotMatch {
            access_key_id: claim.access_key_id.clone(),
            string_to_sign: claim.string_to_sign.clone(),
            signature_provided: claim.signature.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXPIRES: i64 = 1_175_139_620;

    fn claim(expires: &str, signature: &str) -> V2Claim {
        V2Claim {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            expires: expires.into(),
            signature: signature.into(),
            string_to_sign: format!("GET\n\n\n{expires}\n/johnsmith/photos/puppy.jpg"),
        }
    }

    fn verify(claim: V2Claim, now: i64) -> Result<(), SigV2Error> {
        let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
        claim.check(Timestamp::from_seconds(now))?.verify(&secret)
    }

    const PUBLISHED: &str = "NpgCjnDzrM+WFzoENXmpNDUsSn8=";

    #[test]
    fn published_example_query_string_authentication() {
        assert_eq!(verify(claim("1175139620", PUBLISHED), EXPIRES - 60), Ok(()));
    }

    #[test]
    fn valid_until_expires_and_at_most_seven_days_ahead() {
        const WEEK: i64 = 604_800;
        let signed = || claim("1175139620", PUBLISHED);
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
            verify(claim("9223372036854775807", PUBLISHED), EXPIRES),
            Err(SigV2Error::ExpiresTooFarAhead { .. })
        ));
        for given in [
            "",
            "-1",
            "+1175139620",
            "1175139620.0",
            "1175139620 ",
            "9223372036854775808",
            "abc",
        ] {
            assert_eq!(
                verify(claim(given, PUBLISHED), EXPIRES),
                Err(SigV2Error::ExpiresNotANumber {
                    given: given.into()
                })
            );
        }
    }

    #[test]
    fn a_changed_expires_or_string_is_refused() {
        assert!(matches!(
            verify(claim("1175139621", PUBLISHED), EXPIRES),
            Err(SigV2Error::SignatureDoesNotMatch { .. })
        ));
        for signature in [
            "",
            "not base64!",
            "AAAA",
            &PUBLISHED[..27],
            &format!("{PUBLISHED}="),
        ] {
            let refused = verify(claim("1175139620", signature), EXPIRES);
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
            prop_assert!(verify(claim("1175139620", &STANDARD.encode(bytes)), EXPIRES).is_err());
        }
    }
}
