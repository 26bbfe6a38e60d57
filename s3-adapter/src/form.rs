//! Uploads by HTML form: `POST /bucket` with a `multipart/form-data` body.
//!
//! The credentials, the policy and the key stand in the fields before the file, so that here alone a part of the body is
//! read before the caller is known: at most [`MAX_FIELD_BYTES`] of fields. The file itself is read only after the
//! service has let the caller in and the policy allows the form.
//!
//! Sources: "Browser-based uploads using POST" and "POST policy" of the S3 documentation; RFC 7578.

mod content;
mod fields;
mod json;
mod multipart;
mod part;
mod policy;
mod receive;
mod wishes;

use http::Method;

use crate::generated::SUB_RESOURCES;
use crate::sigv4::RequestHead;
use crate::target::Target;

pub use fields::{FieldError, Fields, MAX_FIELD_BYTES, TooLong};
pub use multipart::{MultipartError, Piece, Splitter};
pub use part::{PartHead, boundary};
pub use policy::{Policy, PolicyError, SizeRange};
pub(crate) use receive::{Form, receive};
pub(crate) use wishes::{Success, Wishes};

/// Why a form was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The request is not `multipart/form-data` with a boundary.
    #[error("not multipart/form-data")]
    ContentType,
    /// The body is not what its boundary says.
    #[error(transparent)]
    Multipart(#[from] MultipartError),
    /// The fields before the file are too long together.
    #[error("fields of more than {MAX_FIELD_BYTES} bytes before the file")]
    FieldsTooLong,
    /// A field is missing, malformed, or there twice.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The form has no file, or more than one.
    #[error("{files} files in a form")]
    Files {
        /// How many were seen.
        files: usize,
    },
    /// The file is larger than the policy allows.
    #[error("a file of at least {size} bytes, of which {max} are allowed")]
    FileTooLarge {
        /// Bytes seen so far.
        size: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// The file is smaller than the policy allows.
    #[error("a file of {size} bytes, of which {min} are asked for")]
    FileTooSmall {
        /// Bytes of the file.
        size: u64,
        /// Bytes asked for.
        min: u64,
    },
    /// The policy is malformed, or does not allow the form.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// Whether the request is one by form: any POST to a bucket that no query parameter makes something else. Whether its
/// body is a form is seen later.
pub(crate) fn is_form(head: &RequestHead<'_>) -> bool {
    let is_known = |name: &str| SUB_RESOURCES.contains(&name);
    head.method == Method::POST.as_str()
        && matches!(head.addressed.target, Target::Bucket { .. })
        && !head.query.iter().any(|parameter| is_known(&parameter.name))
}
