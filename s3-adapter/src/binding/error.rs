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
            ParseError::UnsupportedParameter { name } => {
                not_implemented().with_element("Parameter", name)
            }
            ParseError::Invalid {
                place: Source::Element(_),
                ..
            }
            | ParseError::UnknownElement { .. } => S3Error::from(XmlError::UnexpectedEnd),
            ParseError::Invalid {
                place: Source::Header(name) | Source::Query(name),
                value,
            } => S3Error::invalid_argument(
                name,
                value,
                "The value of a header or query parameter is not valid.",
            ),
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

fn not_implemented() -> S3Error {
    S3Error::not_implemented("A header you provided implies functionality that is not implemented")
}
