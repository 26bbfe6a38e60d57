//! SigV2 over the policy of a form, the default of boto3 and older clients.
//!
//! Source: "Browser-based uploads using POST (AWS signature version 2)" of the S3 documentation. The signature is over the
//! policy in base64, as it stands in the form.

use super::claim::{PostPolicyV2Claim, SignatureError};
use crate::form::Fields;

/// Whether the form uses the mechanism.
pub(super) fn is_used(fields: &Fields) -> bool {
    fields.get("awsaccesskeyid").is_some() || fields.get("signature").is_some()
}

/// Reads the claim.
pub(super) fn parse(fields: &Fields) -> Result<PostPolicyV2Claim, SignatureError> {
    let field = |name: &str, shown: &'static str| {
        let value = fields.get(name);
        value
            .map(str::to_owned)
            .ok_or(SignatureError::MissingField(shown))
    };
    Ok(PostPolicyV2Claim {
        access_key_id: field("awsaccesskeyid", "AWSAccessKeyId")?,
        signature: field("signature", "signature")?,
        policy: field("policy", "policy")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::claim::Authentication;
    use super::super::select::authenticate_fields;
    use super::*;

    const FORM: [(&str, &str); 3] = [
        ("awsaccesskeyid", "AKIAIOSFODNN7EXAMPLE"),
        ("policy", "cG9saWN5"),
        ("signature", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
    ];

    fn with(name: &str, value: &str) -> Result<Authentication, SignatureError> {
        let mut pairs = FORM.to_vec();
        pairs.push((name, value));
        authenticate_fields(&Fields::of_test(&pairs))
    }

    #[test]
    fn a_claim_is_read_as_it_was_sent() {
        let Ok(Authentication::PostPolicyV2(claim)) = with("key", "k") else {
            panic!("not SigV2");
        };
        let expected = PostPolicyV2Claim {
            access_key_id: FORM[0].1.to_owned(),
            policy: FORM[1].1.to_owned(),
            signature: FORM[2].1.to_owned(),
        };
        assert_eq!(*claim, expected);
    }

    #[test]
    fn a_half_claim_names_the_missing_field() {
        for (missing, shown) in [
            ("awsaccesskeyid", "AWSAccessKeyId"),
            ("policy", "policy"),
            ("signature", "signature"),
        ] {
            let mut pairs = FORM.to_vec();
            pairs.retain(|(name, _)| *name != missing);
            assert_eq!(
                authenticate_fields(&Fields::of_test(&pairs)),
                Err(SignatureError::MissingField(shown))
            );
        }
    }

    #[test]
    fn other_mechanisms_beside_it_are_refused() {
        for name in ["x-amz-signature", "x-amz-algorithm", "x-amz-credential"] {
            assert_eq!(with(name, "x"), Err(SignatureError::SeveralMechanisms));
        }
        assert_eq!(
            with("x-amz-security-token", "t"),
            Err(SignatureError::SessionToken)
        );
    }
}
