//! Faults of uploads by form, in the words that S3 uses.

use http::StatusCode;

use super::S3Error;
use super::local::bad_request;
use super::signature::missing_field;
use crate::form::{FieldError, FormError, MAX_FIELD_BYTES, MultipartError, PolicyError};

impl From<FormError> for S3Error {
    fn from(fault: FormError) -> Self {
        match fault {
            FormError::ContentType => S3Error::new(
                "PreconditionFailed",
                StatusCode::PRECONDITION_FAILED,
                "At least one of the pre-conditions you specified did not hold",
            )
            .with_element(
                "Condition",
                "Bucket POST must be of the enclosure-type multipart/form-data",
            ),
            FormError::Multipart(MultipartError::Malformed) => bad_request(
                "MalformedPOSTRequest",
                "The body of your POST request is not well-formed multipart/form-data.",
            ),
            FormError::Multipart(MultipartError::HeadTooLong) => bad_request(
                "MalformedPOSTRequest",
                "The header lines of a part of your POST request are too long.",
            ),
            FormError::Multipart(MultipartError::TransferEncoding) => bad_request(
                "MalformedPOSTRequest",
                "The parts of a POST request must not have a Content-Transfer-Encoding.",
            ),
            FormError::FieldsTooLong => bad_request(
                "MaxPostPreDataLengthExceededError",
                "Your POST request fields preceding the upload file were too large.",
            )
            .with_element("MaxPostPreDataLengthBytes", MAX_FIELD_BYTES.to_string()),
            FormError::Field(fault) => fault.into(),
            FormError::Files { files: 0 } => file_argument(
                "InvalidArgument",
                "POST requires exactly one file upload per request.",
                0,
            ),
            FormError::Files { files } => file_argument(
                "IncorrectNumberOfFilesInPostRequest",
                "POST requires exactly one file upload per request.",
                files,
            ),
            FormError::FileTooLarge { size, max } => bad_request(
                "EntityTooLarge",
                "Your proposed upload exceeds the maximum allowed size",
            )
            .with_element("ProposedSize", size.to_string())
            .with_element("MaxSizeAllowed", max.to_string()),
            FormError::FileTooSmall { size, min } => bad_request(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            )
            .with_element("ProposedSize", size.to_string())
            .with_element("MinSizeAllowed", min.to_string()),
            FormError::Policy(fault) => fault.into(),
        }
    }
}

fn file_argument(code: &'static str, message: &'static str, files: usize) -> S3Error {
    bad_request(code, message)
        .with_element("ArgumentName", "file")
        .with_element("ArgumentValue", files.to_string())
}

impl From<FieldError> for S3Error {
    fn from(fault: FieldError) -> Self {
        match fault {
            FieldError::Missing(name) => missing_field(name),
            FieldError::TooMany => bad_request(
                "MaxPostPreDataLengthExceededError",
                "Your POST request has too many fields preceding the upload file.",
            ),
            FieldError::Twice(name) => {
                let message = format!("The form has the field '{name}' more than once.");
                S3Error::invalid_argument(name, "", message)
            }
            FieldError::Invalid {
                name,
                value,
                problem,
            } => {
                let message = format!("The form field '{name}' {problem}");
                S3Error::invalid_argument(name, value, message)
            }
        }
    }
}

impl From<PolicyError> for S3Error {
    fn from(fault: PolicyError) -> Self {
        let message = fault.to_string();
        match fault {
            PolicyError::Invalid(_) => bad_request("InvalidPolicyDocument", message),
            PolicyError::Expired
            | PolicyError::ExpiresTooFarAhead
            | PolicyError::Failed(_)
            | PolicyError::ExtraFields(_) => S3Error::access_denied(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_statuses_and_elements() {
        for (fault, status, code, element) in [
            (
                FormError::ContentType,
                412,
                "PreconditionFailed",
                "Condition",
            ),
            (
                FormError::FieldsTooLong,
                400,
                "MaxPostPreDataLengthExceededError",
                "MaxPostPreDataLengthBytes",
            ),
            (
                FormError::Files { files: 0 },
                400,
                "InvalidArgument",
                "ArgumentName",
            ),
            (
                FormError::Files { files: 2 },
                400,
                "IncorrectNumberOfFilesInPostRequest",
                "ArgumentValue",
            ),
            (
                FormError::FileTooLarge { size: 2, max: 1 },
                400,
                "EntityTooLarge",
                "MaxSizeAllowed",
            ),
            (
                FormError::FileTooSmall { size: 0, min: 1 },
                400,
                "EntityTooSmall",
                "MinSizeAllowed",
            ),
            (
                FieldError::Missing("key").into(),
                400,
                "InvalidArgument",
                "ArgumentName",
            ),
            (
                FieldError::Twice("acl".into()).into(),
                400,
                "InvalidArgument",
                "ArgumentName",
            ),
        ] {
            let error = S3Error::from(fault);
            assert_eq!((error.status().as_u16(), error.code()), (status, code));
            assert!(error.element(element).is_some(), "{error}");
        }
        let policy = |fault: PolicyError| S3Error::from(FormError::from(fault));
        let error = policy(PolicyError::Expired);
        assert_eq!(
            (error.code(), error.message()),
            (
                "AccessDenied",
                "Invalid according to Policy: Policy expired."
            )
        );
        let error = policy(PolicyError::Invalid("Policy missing expiration.".into()));
        assert_eq!(
            (error.status().as_u16(), error.code()),
            (400, "InvalidPolicyDocument")
        );
        assert_eq!(
            error.message(),
            "Invalid Policy: Policy missing expiration."
        );
    }
}
