//! The signature itself.

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::super::mac::hmac_sha256;
use super::amz_date::AmzDate;
use super::claim::{CheckedClaim, SignedContent};
use super::error::{SigV4Error, SignatureMismatch};
use super::scope::CredentialScope;
use super::signing_key::SigningKey;

const ALGORITHM: &[u8] = b"AWS4-HMAC-SHA256";

impl CheckedClaim {
    /// Verifies the signature under the signing key of the claim's access key and scope, in constant time.
    ///
    /// # Errors
    /// [`SigV4Error::SignatureDoesNotMatch`] with what S3 shows of it.
    pub fn verify(&self, key: &SigningKey) -> Result<(), SigV4Error> {
        let claimed = decode_signature(&self.signature);
        let matches =
            |mac: Hmac<Sha256>| claimed.is_some_and(|claimed| mac.verify_slice(&claimed).is_ok());
        let mac = hmac_sha256(key.expose());
        let accepted = match &self.signed {
            SignedContent::CanonicalRequests(candidates) => {
                let mut begun = mac;
                begin_string_to_sign(self.amz_date, &self.scope, |text| begun.update(text));
                candidates
                    .iter()
                    .any(|candidate| matches(begun.clone().chain_update(digest(candidate))))
            }
            SignedContent::Policy(policy) => matches(mac.chain_update(policy)),
        };
        if accepted {
            Ok(())
        } else {
            Err(SigV4Error::SignatureDoesNotMatch(Box::new(self.mismatch())))
        }
    }

    fn string_to_sign(&self, canonical_request: &str) -> String {
        let text = string_to_sign(self.amz_date, &self.scope, canonical_request);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn mismatch(&self) -> SignatureMismatch {
        let (string_to_sign, canonical_request) = match &self.signed {
            SignedContent::CanonicalRequests(candidates) => {
                let as_received = candidates.first().cloned().unwrap_or_default();
                (self.string_to_sign(&as_received), Some(as_received))
            }
            SignedContent::Policy(policy) => (policy.clone(), None),
        };
        SignatureMismatch {
            access_key_id: self.access_key_id.clone(),
            string_to_sign,
            signature_provided: self.signature.clone(),
            canonical_request,
        }
    }
}

/// Algorithm, time and scope, on a line each: what a string to sign begins with. The digest of the canonical request
/// follows.
fn begin_string_to_sign(amz_date: AmzDate, scope: &CredentialScope, mut write: impl FnMut(&[u8])) {
    write(ALGORITHM);
    write(b"\n");
    write(&amz_date.text());
    write(b"\n");
    write(&scope.date().text());
    for part in [
        scope.region(),
        CredentialScope::service(),
        CredentialScope::terminator(),
    ] {
        write(b"/");
        write(part.as_bytes());
    }
    write(b"\n");
}

/// What is signed of a canonical request.
pub(super) fn string_to_sign(
    amz_date: AmzDate,
    scope: &CredentialScope,
    canonical_request: &str,
) -> Vec<u8> {
    let mut text = Vec::new();
    begin_string_to_sign(amz_date, scope, |part| text.extend_from_slice(part));
    text.extend_from_slice(&digest(canonical_request));
    text
}

/// The SHA-256 of a canonical request, in hexadecimal digits.
fn digest(canonical_request: &str) -> [u8; 64] {
    let mut digits = [0; 64];
    let written = hex::encode_to_slice(Sha256::digest(canonical_request), &mut digits);
    debug_assert!(written.is_ok(), "two digits for each byte");
    digits
}

/// 64 lower-case hexadecimal digits; every client writes them so, and a signature has one spelling.
fn decode_signature(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use aws_sigv4::sign::v4::calculate_signature;
    use proptest::prelude::*;

    use super::super::claim::{SignaturePlacement, V4Claim};
    use super::super::scope::AcceptedRegions;
    use super::super::scope::tests::scope_claim;
    use super::*;
    use crate::secret::SecretKey;
    use bucketry_domain::Timestamp;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const NOW: Timestamp = Timestamp::from_seconds(1_369_353_600);

    fn claim(canonical_request: &str, signature: &str) -> V4Claim {
        V4Claim {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            scope: scope_claim("20130524", "us-east-1"),
            amz_date: "20130524T000000Z".into(),
            placement: SignaturePlacement::Header,
            signed: SignedContent::CanonicalRequests(vec![canonical_request.into()]),
            signature: signature.into(),
        }
    }

    fn verify(claim: V4Claim) -> Result<(), SigV4Error> {
        let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
        let checked = claim.check(&AcceptedRegions::new("eu-central-1"), NOW)?;
        let key = SigningKey::derive(&secret, checked.scope());
        checked.verify(&key)
    }

    fn bucket_get(query: &str) -> String {
        format!(
            "GET\n/\n{query}\nhost:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:{EMPTY}\n\
             x-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\n{EMPTY}"
        )
    }

    fn get_range() -> String {
        format!(
            "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:{EMPTY}\n\
             x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n{EMPTY}"
        )
    }

    const GET_RANGE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

    #[test]
    fn published_example_get_object_range() {
        assert_eq!(verify(claim(&get_range(), GET_RANGE)), Ok(()));
    }

    #[test]
    fn published_example_put_object() {
        let body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let canonical = format!(
            "PUT\n/test%24file.text\n\ndate:Fri, 24 May 2013 00:00:00 GMT\nhost:examplebucket.s3.amazonaws.com\n\
             x-amz-content-sha256:{body}\nx-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n\n\
             date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n{body}"
        );
        let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
        assert_eq!(verify(claim(&canonical, signature)), Ok(()));
    }

    #[test]
    fn published_example_get_bucket_lifecycle() {
        let signature = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        assert_eq!(verify(claim(&bucket_get("lifecycle="), signature)), Ok(()));
    }

    #[test]
    fn published_example_list_objects() {
        let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert_eq!(
            verify(claim(&bucket_get("max-keys=2&prefix=J"), signature)),
            Ok(())
        );
    }

    #[test]
    fn published_example_presigned_get() {
        let canonical = "GET\n/test.txt\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
            %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&\
            X-Amz-SignedHeaders=host\nhost:examplebucket.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD";
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let claim = V4Claim {
            placement: SignaturePlacement::Query { expires: 86_400 },
            ..claim(canonical, signature)
        };
        assert_eq!(verify(claim), Ok(()));
    }

    #[test]
    fn a_policy_is_signed_itself() {
        let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
        let policy = "eyJleHBpcmF0aW9uIjoiMjAxMy0wNS0yNVQwMDowMDowMFoifQ==";
        let form = |signature: &str| V4Claim {
            placement: SignaturePlacement::Form,
            signed: SignedContent::Policy(policy.into()),
            ..claim("", signature)
        };
        let checked = form("").check(&AcceptedRegions::new("auto"), NOW).unwrap();
        let key = SigningKey::derive(&secret, checked.scope());
        let signature = calculate_signature(key.expose(), policy.as_bytes());
        assert_eq!(verify(form(&signature)), Ok(()));
        let Err(SigV4Error::SignatureDoesNotMatch(mismatch)) = verify(form(GET_RANGE)) else {
            panic!("a wrong signature was accepted");
        };
        assert_eq!(
            (mismatch.string_to_sign.as_str(), mismatch.canonical_request),
            (policy, None)
        );
    }

    #[test]
    fn a_mismatch_shows_what_was_compared_but_not_the_right_signature() {
        let wrong = GET_RANGE.replace('f', "e");
        let Err(SigV4Error::SignatureDoesNotMatch(mismatch)) = verify(claim(&get_range(), &wrong))
        else {
            panic!("a wrong signature was accepted");
        };
        assert_eq!(
            mismatch.string_to_sign,
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
             7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972"
        );
        assert_eq!(mismatch.canonical_request, Some(get_range()));
        assert_eq!(mismatch.signature_provided, wrong);
        assert_eq!(mismatch.access_key_id.as_str(), "AKIAIOSFODNN7EXAMPLE");
        assert!(!format!("{mismatch:?}").contains(GET_RANGE));
    }

    #[test]
    fn odd_signatures_do_not_match() {
        for signature in [
            "",
            &GET_RANGE[..63],
            &format!("{GET_RANGE}0"),
            &GET_RANGE.to_uppercase(),
            &"z".repeat(64),
            &"0".repeat(1 << 20),
        ] {
            let refused = verify(claim(&get_range(), signature));
            assert!(
                matches!(refused, Err(SigV4Error::SignatureDoesNotMatch(_))),
                "{signature:.80}"
            );
        }
    }

    #[test]
    fn any_of_eight_candidates_matches_and_no_more_are_tried() {
        let with = |count: usize| {
            let mut candidates = vec!["GET\n/other".to_owned(); count - 1];
            candidates.push(get_range());
            V4Claim {
                signed: SignedContent::CanonicalRequests(candidates),
                ..claim("", GET_RANGE)
            }
        };
        assert_eq!(verify(with(2)), Ok(()));
        assert_eq!(verify(with(8)), Ok(()));
        assert_eq!(verify(with(9)), Err(SigV4Error::Candidates { count: 9 }));
        let none = V4Claim {
            signed: SignedContent::CanonicalRequests(Vec::new()),
            ..claim("", GET_RANGE)
        };
        assert_eq!(verify(none), Err(SigV4Error::Candidates { count: 0 }));
    }

    #[test]
    fn form_scope_and_time_are_judged_before_the_signature() {
        let bad_date = V4Claim {
            amz_date: "yesterday".into(),
            ..claim("", "")
        };
        assert_eq!(
            verify(bad_date),
            Err(SigV4Error::AmzDateMalformed {
                given: "yesterday".into()
            })
        );
        let other_day = V4Claim {
            scope: scope_claim("20130525", "us-east-1"),
            ..claim("", "")
        };
        assert!(matches!(verify(other_day), Err(SigV4Error::Scope(_))));
        let old = V4Claim {
            amz_date: "20130524T001501Z".into(),
            ..claim("", "")
        };
        assert!(matches!(
            verify(old),
            Err(SigV4Error::RequestTimeTooSkewed { .. })
        ));
        let endless = V4Claim {
            placement: SignaturePlacement::Query { expires: 604_801 },
            ..claim("", "")
        };
        assert!(matches!(
            verify(endless),
            Err(SigV4Error::ExpiresOutOfRange { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_changed_digit_is_refused(position in 0_usize..64, digit in "[0-9a-f]") {
            let mut signature = GET_RANGE.to_owned();
            signature.replace_range(position..=position, &digit);
            prop_assert_eq!(verify(claim(&get_range(), &signature)).is_ok(), signature == GET_RANGE);
        }

        #[test]
        fn equal_to_the_official_signer(canonical in "\\PC{0,200}", text in "[!-~]{8,80}") {
            let secret = SecretKey::parse(text).unwrap();
            let checked = claim(&canonical, "").check(&AcceptedRegions::new("auto"), NOW).unwrap();
            let key = SigningKey::derive(&secret, checked.scope());
            let signature = calculate_signature(key.expose(), checked.string_to_sign(&canonical).as_bytes());
            let signed = claim(&canonical, &signature).check(&AcceptedRegions::new("auto"), NOW).unwrap();
            prop_assert!(signed.verify(&key).is_ok());
        }
    }
}
