//! Faults of signatures, in the words that S3 clients know.

use super::S3Error;
use super::local::{bad_request, signature_mismatch};
use crate::sigv4::{MalformedPart, SignatureError};

fn sigv2_not_supported() -> S3Error {
    S3Error::invalid_request(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

impl From<SignatureError> for S3Error {
    fn from(fault: SignatureError) -> Self {
        match fault {
            SignatureError::SeveralMechanisms => S3Error::invalid_argument(
                "Authorization",
                "",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
            ),
            SignatureError::UnsupportedAuthorization(scheme) => {
                S3Error::invalid_argument("Authorization", scheme, "Unsupported Authorization Type")
            }
            SignatureError::SigV2NotSupported => sigv2_not_supported(),
            SignatureError::UnsupportedAlgorithm(_) => {
                S3Error::not_implemented("SigV4A is not implemented. Please use AWS4-HMAC-SHA256.")
            }
            SignatureError::SessionToken => bad_request(
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            ),
            // S3 compares the value as sent, whatever it is.
            SignatureError::MalformedHeader(MalformedPart::Signature)
            | SignatureError::MalformedQuery(MalformedPart::Signature) => signature_mismatch(),
            SignatureError::MalformedField {
                part: MalformedPart::Signature,
                value,
                ..
            } => signature_mismatch().with_element("SignatureProvided", value),
            SignatureError::MalformedHeader(part) => {
                bad_request("AuthorizationHeaderMalformed", header_text(&part))
            }
            SignatureError::MalformedQuery(part) => {
                bad_request("AuthorizationQueryParametersError", query_text(&part))
            }
            SignatureError::MissingField(name) => missing_field(name),
            SignatureError::MalformedField { field, value, part } => {
                S3Error::invalid_argument(field, value, field_text(&part))
            }
            SignatureError::InvalidDate => S3Error::access_denied(
                "AWS authentication requires a valid Date or x-amz-date header",
            ),
            SignatureError::MalformedV2(_) => S3Error::access_denied(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
            ),
            SignatureError::UnsignedParameter(name) => S3Error::invalid_argument(
                name,
                "",
                "This query parameter is not covered by a version 2 signature. Please use AWS4-HMAC-SHA256.",
            ),
            SignatureError::HeadersNotSigned(names) => S3Error::access_denied(
                "There were headers present in the request which were not signed",
            )
            .with_element("HeadersNotSigned", names.join(", ")),
            SignatureError::ConflictingHeader(name) => S3Error::invalid_request(format!(
                "The header {name} differs from the query parameter of that name."
            )),
            SignatureError::MissingContentSha256 => S3Error::invalid_request(
                "Missing required header for this request: x-amz-content-sha256",
            ),
            SignatureError::InvalidContentSha256(value) => S3Error::invalid_argument(
                "x-amz-content-sha256",
                value,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            ),
            SignatureError::UnsignedStreaming => S3Error::invalid_request(
                "Signed chunks require a version 4 signature of the request.",
            ),
            SignatureError::InvalidTarget => {
                bad_request("InvalidURI", "Couldn't parse the specified URI.")
            }
        }
    }
}

/// The order of the fields is what goes wrong most.
pub(super) fn missing_field(name: &str) -> S3Error {
    S3Error::invalid_argument(
        name,
        "",
        format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        ),
    )
}

fn header_text(part: &MalformedPart) -> String {
    let text = match part {
        MalformedPart::Components => {
            "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        }
        MalformedPart::Signature => "the Signature is not 64 lower-case hexadecimal digits.",
        MalformedPart::SignedHeaders => {
            "the SignedHeaders are not a sorted list of lower-case header names."
        }
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::ScopeDate { .. }
        | MalformedPart::Service { .. }
        | MalformedPart::Terminator { .. } => {
            return format!(
                "The authorization header is malformed; {}",
                credential_text(part)
            );
        }
        MalformedPart::Algorithm
        | MalformedPart::Date
        | MalformedPart::ExpiresNotANumber
        | MalformedPart::ExpiresTooSmall
        | MalformedPart::ExpiresTooLarge => "it holds a component of the query form.",
    };
    format!("The authorization header is malformed; {text}")
}

fn query_text(part: &MalformedPart) -> String {
    let text = match part {
        MalformedPart::Components => {
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        }
        MalformedPart::Signature => "X-Amz-Signature must be 64 lower-case hexadecimal digits",
        MalformedPart::SignedHeaders => {
            "X-Amz-SignedHeaders must be a sorted list of lower-case header names"
        }
        MalformedPart::Algorithm => "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"",
        MalformedPart::Date => {
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        }
        MalformedPart::ExpiresNotANumber => "X-Amz-Expires should be a number",
        MalformedPart::ExpiresTooSmall => "X-Amz-Expires must be non-negative",
        MalformedPart::ExpiresTooLarge => {
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
        }
        MalformedPart::ScopeDate { .. } => return credential_text(part),
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::Service { .. }
        | MalformedPart::Terminator { .. } => {
            return format!(
                "Error parsing the X-Amz-Credential parameter; {}",
                credential_text(part)
            );
        }
    };
    text.to_owned()
}

/// Of a form's field.
fn field_text(part: &MalformedPart) -> String {
    match part {
        MalformedPart::Algorithm => "Only AWS4-HMAC-SHA256 is supported".to_owned(),
        MalformedPart::Date => "X-Amz-Date must be formated via ISO8601 Long format".to_owned(),
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::ScopeDate { .. }
        | MalformedPart::Service { .. }
        | MalformedPart::Terminator { .. }
        | MalformedPart::Components
        | MalformedPart::SignedHeaders
        | MalformedPart::Signature
        | MalformedPart::ExpiresNotANumber
        | MalformedPart::ExpiresTooSmall
        | MalformedPart::ExpiresTooLarge => credential_text(part),
    }
}

fn credential_text(part: &MalformedPart) -> String {
    match part {
        MalformedPart::ScopeDate { given, expected } => {
            format!(
                "Invalid credential date \"{given}\". This date is not the same as X-Amz-Date: \"{expected}\"."
            )
        }
        MalformedPart::Service { given } => {
            format!("incorrect service \"{given}\". This endpoint belongs to \"s3\".")
        }
        MalformedPart::Terminator { given } => {
            format!("incorrect terminal \"{given}\". This endpoint uses \"aws4_request\".")
        }
        MalformedPart::Credential
        | MalformedPart::AccessKeyId
        | MalformedPart::Components
        | MalformedPart::SignedHeaders
        | MalformedPart::Signature
        | MalformedPart::Algorithm
        | MalformedPart::Date
        | MalformedPart::ExpiresNotANumber
        | MalformedPart::ExpiresTooSmall
        | MalformedPart::ExpiresTooLarge => {
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned()
        }
    }
}
