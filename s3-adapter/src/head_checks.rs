//! What the head of a request must satisfy before the operation is called.
//!
//! All of it is checked before the caller is judged, so that the service learns whether its call follows at once; but a
//! fault is answered only afterwards, so that an unauthorized caller learns of none.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

use crate::authorize::Next;
use crate::binding::BodyKind;
use crate::checksum::{ChecksumLocation, RequestDigests, is_of_no_body};
use crate::error::{S3Error, empty_version};
use crate::form::Form;
use crate::generated::{Operation, ParsedRequest};
use crate::header_names::X_AMZ_CONTENT_SHA256;
use crate::headers::names_aws_chunked;
use crate::hooks::check_read;
use crate::intake::{Intake, content_length};
use crate::length::data_length;
use crate::sigv4::{Authentication, PayloadHash, RequestHead};
use crate::write_condition::require_any;

static SHA256_OF_NOTHING: LazyLock<[u8; 32]> = LazyLock::new(|| Sha256::digest(b"").into());

/// The head of a request whose operation is known.
pub(crate) struct HeadToCheck<'a> {
    pub(crate) operation: Operation,
    /// The typed head; none if it could not be read, which is the fault that is answered then.
    pub(crate) parsed: Option<&'a ParsedRequest>,
    pub(crate) signed: &'a RequestHead<'a>,
    /// The headers as the operation means them.
    pub(crate) headers: &'a HeaderMap,
    pub(crate) authentication: &'a Authentication,
    /// The form that the request is in, if it is in one.
    pub(crate) form: Option<&'a Form>,
}

/// What a head without a fault declares about the body.
pub(crate) struct CheckedHead {
    pub(crate) digests: RequestDigests,
    /// The length of the data, if it is declared. Not of a form.
    pub(crate) length: Option<u64>,
    /// The length of an upload's content. Not in a form.
    pub(crate) content_length: Option<i64>,
    /// Whether an empty body is known to be what was declared.
    allows_no_body: bool,
}

impl HeadToCheck<'_> {
    /// Everything that the pipeline and the operation's hook refuse without looking at the body.
    pub(crate) fn check(&self) -> Result<CheckedHead, S3Error> {
        if self.signed.query.get("versionId") == Some("") {
            return Err(empty_version());
        }
        self.refuse_unsigned_frames()?;
        let digests = self.declared_digests()?;
        let payload = self.authentication.payload();
        let length = match self.form {
            None => data_length(self.headers, &payload)?,
            // Its file has a length of its own.
            Some(_) => None,
        };
        self.check_operation()?;
        let content_length = match (self.operation.body(), self.form) {
            (BodyKind::Content, None) => Some(content_length(length)?),
            (BodyKind::Content | BodyKind::Xml { .. } | BodyKind::None, _) => None,
        };
        Ok(CheckedHead {
            allows_no_body: allows_no_body(&digests, length, &payload),
            digests,
            length,
            content_length,
        })
    }

    /// What only some operations refuse.
    fn check_operation(&self) -> Result<(), S3Error> {
        if matches!(self.operation, Operation::PutObject | Operation::CopyObject) {
            require_any(self.headers)?;
        }
        let read = match self.parsed {
            Some(ParsedRequest::GetObject(request)) => Some(request),
            Some(ParsedRequest::HeadObject(request)) => request.object.as_ref(),
            _ => None,
        };
        match read {
            Some(request) => check_read(
                request,
                self.headers,
                self.signed.query,
                self.authentication,
            ),
            None => Ok(()),
        }
    }

    /// `aws-chunked` with a payload that is declared to be unframed: the frames would be stored as content.
    fn refuse_unsigned_frames(&self) -> Result<(), S3Error> {
        if self.operation.body() != BodyKind::Content {
            return Ok(());
        }
        let signed = self.signed;
        let name = &X_AMZ_CONTENT_SHA256;
        let unsigned = "UNSIGNED-PAYLOAD";
        let declared = signed.headers.get(name).map(HeaderValue::as_bytes);
        let is_unsigned = declared == Some(unsigned.as_bytes())
            || signed.query.get_ignoring_case(name.as_str()) == Some(unsigned);
        let is_framed = || {
            let lines = signed.headers.get_all(header::CONTENT_ENCODING).iter();
            lines
                .filter_map(|line| line.to_str().ok())
                .any(names_aws_chunked)
        };
        if is_unsigned && is_framed() {
            return Err(S3Error::invalid_argument(
                "Content-Encoding",
                "aws-chunked",
                "aws-chunked encoding is not supported when x-amz-content-sha256 UNSIGNED-PAYLOAD is supplied.",
            ));
        }
        Ok(())
    }

    /// The digests that the client declares for the body. Left out are the checksum of a completion, which is the object's,
    /// and one that was signed into a URL before there was a body.
    fn declared_digests(&self) -> Result<RequestDigests, S3Error> {
        let no_body = self.operation.body() == BodyKind::None
            || self.operation == Operation::CompleteMultipartUpload;
        let premature = self
            .authentication
            .hoisted_headers()
            .filter(|hoisted| is_of_no_body(hoisted));
        let says_nothing = |name: &http::HeaderName| {
            let is_checksum = name.as_str().starts_with("x-amz-checksum-")
                || name == "x-amz-sdk-checksum-algorithm";
            is_checksum && (no_body || premature.is_some_and(|hoisted| hoisted.contains_key(name)))
        };
        let payload = self.authentication.payload();
        if !self.headers.keys().any(says_nothing) {
            return Ok(RequestDigests::from_headers(self.headers, &payload)?);
        }
        let of_body: HeaderMap = self
            .headers
            .iter()
            .filter(|(name, _)| !says_nothing(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Ok(RequestDigests::from_headers(&of_body, &payload)?)
    }
}

/// Whether an empty body is certain to pass the checks of what was declared. Only the hash that clients sign for no body
/// is recognized; what else may fit is rare, and found when the body is read.
fn allows_no_body(digests: &RequestDigests, length: Option<u64>, payload: &PayloadHash) -> bool {
    !payload.is_streaming()
        && length.is_none_or(|length| length == 0)
        && digests
            .content_sha256
            .is_none_or(|hash| hash == *SHA256_OF_NOTHING)
        && digests.content_md5.is_none()
        && digests.checksum == ChecksumLocation::None
}

/// What the pipeline does with a request that is allowed. A form is judged by its policy first.
pub(crate) fn next(
    parsed: Option<&ParsedRequest>,
    checked: Option<&CheckedHead>,
    form: Option<&Form>,
    intake: &Intake,
) -> Next {
    let (Some(parsed), Some(checked), None) = (parsed, checked, form) else {
        return Next::Other;
    };
    match parsed.operation().body() {
        BodyKind::Content => Next::Call,
        BodyKind::None if checked.allows_no_body && intake.is_empty() => Next::Call,
        BodyKind::None | BodyKind::Xml { .. } => Next::Other,
    }
}
