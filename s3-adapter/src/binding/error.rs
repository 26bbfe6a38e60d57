//! Why a request cannot be parsed, and how S3 says so.

use crate::binding::decode::Source;
use crate::checksum::DigestError;
use crate::copy_source::CopySourceError;
use crate::error::S3Error;
use crate::headers::HeaderError;
use crate::xml::XmlError;

/// Why a request cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A header that the operation does not take, or not with this value.
    #[error("header {name:?} is not supported here")]
    UnsupportedHeader {
        /// The header, in lower case.
        name: String,
        /// Its value as far as it is text.
        value: String,
    },
    /// A canned ACL or a grant where ACLs are off.
    #[error("the bucket does not allow ACLs")]
    Acl,
    /// A canned ACL or a grant for a bucket to be made, in which ACLs are off.
    #[error("a bucket whose owner owns all objects cannot have ACLs")]
    BucketAcl,
    /// A query parameter that stands for a header that the operation does not take.
    #[error("query parameter {name:?} is not supported here")]
    UnsupportedParameter {
        /// The parameter.
        name: String,
    },
    /// A value that is not what its place takes.
    #[error("invalid value at {place:?}")]
    Invalid {
        /// Its place.
        place: Source,
        /// The value.
        value: String,
    },
    /// An element that the operation does not know.
    #[error("unknown element {name:?}")]
    UnknownElement {
        /// Its name.
        name: String,
    },
    /// An element that S3 knows and that is not implemented.
    #[error("element {name:?} is not supported here")]
    UnsupportedElement {
        /// Its name.
        name: String,
    },
    /// The operation needs a body.
    #[error("no body")]
    MissingBody,
    /// `encoding-type` other than `url`.
    #[error("unknown encoding type {0:?}")]
    EncodingType(String),
    /// The XML body.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// User metadata or a list of ETags.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A checksum.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// A copy source or its range.
    #[error(transparent)]
    CopySource(#[from] CopySourceError),
}

impl From<ParseError> for S3Error {
    fn from(fault: ParseError) -> Self {
        match fault {
            ParseError::UnsupportedHeader { name, value } => not_implemented()
                .with_element("Header", name)
                .with_element("Value", value),
            ParseError::Acl => S3Error::new(
                "AccessControlListNotSupported",
                http::StatusCode::BAD_REQUEST,
                "The bucket does not allow ACLs",
            ),
            ParseError::BucketAcl => S3Error::new(
                "InvalidBucketAclWithObjectOwnership",
                http::StatusCode::BAD_REQUEST,
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            ),
            ParseError::UnsupportedParameter { name } => {
                not_implemented().with_element("Parameter", name)
            }
            ParseError::Invalid {
                place: Source::Element("PartNumber"),
                value,
            } if is_integer(&value) => part_of_completion(value),
            ParseError::Invalid {
                place: Source::Element(_),
                ..
            }
            | ParseError::UnknownElement { .. } => S3Error::from(XmlError::UnexpectedEnd),
            ParseError::Invalid {
                place: Source::Header(name) | Source::Query(name),
                value,
            } => invalid_argument(name, value),
            ParseError::UnsupportedElement { name } => {
                not_implemented().with_element("Element", name)
            }
            ParseError::MissingBody => S3Error::new(
                "MissingRequestBodyError",
                http::StatusCode::BAD_REQUEST,
                "Request Body is empty",
            ),
            ParseError::EncodingType(value) => S3Error::invalid_argument(
                "encoding-type",
                value,
                "Invalid Encoding Method specified in Request",
            ),
            ParseError::Xml(fault) => fault.into(),
            ParseError::Header(fault) => fault.into(),
            ParseError::Digest(fault) => fault.into(),
            ParseError::CopySource(fault) => fault.into(),
        }
    }
}

/// S3's text for a number, enum or tag set that it cannot parse. Each number has its own text, and for some S3 uses
/// another name of the argument when only the range is wrong.
fn invalid_argument(name: &'static str, value: String) -> S3Error {
    if name == "x-amz-storage-class" {
        return S3Error::new(
            "InvalidStorageClass",
            http::StatusCode::BAD_REQUEST,
            "The storage class you specified is not valid",
        )
        .with_element("StorageClassRequested", value);
    }
    let (name, message) = match name {
        "max-keys" if is_integer(&value) => ("maxKeys", out_of_range("maxKeys")),
        "max-parts" | "max-uploads" | "part-number-marker" if is_integer(&value) => {
            (name, out_of_range(name))
        }
        "max-keys" | "max-parts" | "max-uploads" | "part-number-marker" | "x-amz-max-parts"
        | "x-amz-part-number-marker" => (
            name,
            format!("Provided {name} not an integer or within integer range"),
        ),
        "max-buckets" => (
            name,
            "Argument max-buckets must be an integer between 1 and 10000.".to_owned(),
        ),
        "partNumber" => (name, PART_NUMBER.to_owned()),
        "x-amz-object-attributes" => (name, "Invalid attribute name specified.".to_owned()),
        "x-amz-metadata-directive" => (name, "Unknown metadata directive.".to_owned()),
        "x-amz-tagging-directive" => (name, "Unknown tagging directive.".to_owned()),
        "x-amz-tagging" => (
            name,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.".to_owned(),
        ),
        response if response.starts_with("response-") => (
            name,
            "Header value cannot be represented using ISO-8859-1.".to_owned(),
        ),
        _ => (
            name,
            "The value of a header or query parameter is not valid.".to_owned(),
        ),
    };
    S3Error::invalid_argument(name, value, message)
}

/// For part numbers that no upload can have.
pub(crate) const PART_NUMBER: &str =
    "Part number must be an integer between 1 and 10000, inclusive";

fn out_of_range(name: &str) -> String {
    format!("Argument {name} must be an integer between 0 and 2147483647")
}

/// A number that fits S3's own integers, whatever the range of the argument.
fn is_integer(value: &str) -> bool {
    let digits = value.trim();
    digits.parse::<i32>().is_ok() && !digits.starts_with('+')
}

fn part_of_completion(value: String) -> S3Error {
    if value.trim().starts_with('-') || value.trim() == "0" {
        S3Error::invalid_argument("PartNumber", value, "PartNumber must be >= 1")
    } else {
        S3Error::invalid_argument("partNumber", value, PART_NUMBER)
    }
}

fn not_implemented() -> S3Error {
    S3Error::not_implemented("A header you provided implies functionality that is not implemented")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid(place: Source, value: &str) -> (String, String, String) {
        let error = S3Error::from(ParseError::Invalid {
            place,
            value: value.to_owned(),
        });
        let name = error.element("ArgumentName").unwrap_or_default().to_owned();
        (error.code().to_owned(), name, error.message().to_owned())
    }

    #[test]
    fn numbers_are_refused_in_the_words_of_s3() {
        for (place, value, name, message) in [
            (
                Source::Query("max-keys"),
                "a",
                "max-keys",
                "Provided max-keys not an integer or within integer range",
            ),
            (
                Source::Query("max-keys"),
                "2147483648",
                "max-keys",
                "Provided max-keys not an integer or within integer range",
            ),
            (
                Source::Query("max-keys"),
                "-1",
                "maxKeys",
                "Argument maxKeys must be an integer between 0 and 2147483647",
            ),
            (
                Source::Query("part-number-marker"),
                "x",
                "part-number-marker",
                "Provided part-number-marker not an integer or within integer range",
            ),
            (Source::Query("partNumber"), "0", "partNumber", PART_NUMBER),
            (
                Source::Element("PartNumber"),
                "0",
                "PartNumber",
                "PartNumber must be >= 1",
            ),
            (
                Source::Element("PartNumber"),
                "10001",
                "partNumber",
                PART_NUMBER,
            ),
        ] {
            let expected = (
                "InvalidArgument".to_owned(),
                name.to_owned(),
                message.to_owned(),
            );
            assert_eq!(invalid(place, value), expected, "{place:?} {value}");
        }
        let (code, _, _) = invalid(Source::Element("PartNumber"), "one");
        assert_eq!(code, "MalformedXML");
    }
}
