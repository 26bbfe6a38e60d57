//! SigV4 over the policy of a form.

use super::authorization::{Credential, parse_signature};
use super::claim::{MalformedPart, PostPolicyClaim, SignatureError, SigningTime};
use crate::form::Fields;

const CREDENTIAL: &str = "x-amz-credential";
const DATE: &str = "x-amz-date";

/// Whether the form uses the mechanism.
pub(super) fn is_used(fields: &Fields) -> bool {
    ["x-amz-signature", "x-amz-algorithm", CREDENTIAL]
        .iter()
        .any(|name| fields.get(name).is_some())
}

/// Reads the claim; nothing if the form has no policy and no signature.
pub(super) fn parse(fields: &Fields) -> Result<Option<PostPolicyClaim>, SignatureError> {
    let Some(policy) = fields.get("policy") else {
        return match is_used(fields) {
            true => Err(SignatureError::MissingField("policy")),
            false => Ok(None),
        };
    };
    let field = |name: &'static str| {
        let value = fields.get(name);
        value.ok_or(SignatureError::MissingField(name))
    };
    let malformed = |field: &'static str, value: &str, part: MalformedPart| {
        let value = value.to_owned();
        SignatureError::MalformedField { field, value, part }
    };
    match field("x-amz-algorithm")? {
        "AWS4-HMAC-SHA256" => {}
        asymmetric @ "AWS4-ECDSA-P256-SHA256" => {
            return Err(SignatureError::UnsupportedAlgorithm(asymmetric.to_owned()));
        }
        other => {
            return Err(malformed(
                "x-amz-algorithm",
                other,
                MalformedPart::Algorithm,
            ));
        }
    }
    let written = field(CREDENTIAL)?;
    let date = field(DATE)?;
    let signature = field("x-amz-signature")?;
    let signed_at =
        SigningTime::parse(date).ok_or_else(|| malformed(DATE, date, MalformedPart::Date))?;
    let credential =
        Credential::parse(written).map_err(|part| malformed(CREDENTIAL, written, part))?;
    let scope = credential
        .scope(&signed_at)
        .map_err(|part| malformed(CREDENTIAL, written, part))?;
    let signature =
        parse_signature(signature).map_err(|part| malformed("x-amz-signature", signature, part))?;
    Ok(Some(PostPolicyClaim {
        access_key_id: credential.access_key_id.to_owned(),
        scope,
        signed_at,
        signature,
        policy: policy.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";

    fn fields(changed: &[(&str, Option<&str>)]) -> Fields {
        let mut pairs = vec![
            ("policy", "cG9saWN5"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            (CREDENTIAL, "AK/20151229/us-east-1/s3/aws4_request"),
            (DATE, "20151229T000000Z"),
            ("x-amz-signature", SIGNATURE),
        ];
        for (name, value) in changed {
            pairs.retain(|(known, _)| known != name);
            pairs.extend(value.map(|value| (*name, value)));
        }
        Fields::of_test(&pairs)
    }

    #[test]
    fn a_claim_is_read() {
        let claim = parse(&fields(&[])).unwrap().unwrap();
        assert_eq!(
            (claim.access_key_id.as_str(), claim.policy.as_str()),
            ("AK", "cG9saWN5")
        );
        assert_eq!(
            claim.scope.to_string(),
            "20151229/us-east-1/s3/aws4_request"
        );
        assert_eq!(hex::encode(claim.signature), SIGNATURE);
    }

    #[test]
    fn nothing_is_anonymous_and_half_of_it_is_not() {
        assert_eq!(parse(&Fields::default()), Ok(None));
        for missing in [
            "policy",
            "x-amz-algorithm",
            CREDENTIAL,
            DATE,
            "x-amz-signature",
        ] {
            let refused = parse(&fields(&[(missing, None)]));
            assert_eq!(refused, Err(SignatureError::MissingField(missing)));
        }
    }

    #[test]
    fn malformed_fields_are_named() {
        for (name, value) in [
            ("x-amz-algorithm", "AWS4-HMAC-SHA512"),
            (CREDENTIAL, "AK/20151229/us-east-1/s3"),
            (CREDENTIAL, "AK/20151228/us-east-1/s3/aws4_request"),
            (CREDENTIAL, "AK/20151229/us-east-1/ec2/aws4_request"),
            (CREDENTIAL, "AK/20151229/us-east-1/s3/aws5_request"),
            (DATE, "2015-12-29"),
            ("x-amz-signature", "x"),
            ("x-amz-signature", &SIGNATURE.to_uppercase()),
        ] {
            match parse(&fields(&[(name, Some(value))])) {
                Err(SignatureError::MalformedField {
                    field,
                    value: given,
                    ..
                }) => {
                    assert_eq!((field, given.as_str()), (name, value));
                }
                other => panic!("{name} {value}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_mechanisms_are_refused_clearly() {
        let with = |name, value| parse(&fields(&[(name, Some(value))])).unwrap_err();
        assert!(matches!(
            with("x-amz-algorithm", "AWS4-ECDSA-P256-SHA256"),
            SignatureError::UnsupportedAlgorithm(_)
        ));
    }
}
