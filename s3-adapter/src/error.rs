//! What an S3 client sees when a request fails: one type, rendered as S3's XML.
//!
//! Faults found at the edge have their own enums beside the code that finds them; `local` maps each
//! of them to an [`S3Error`] by exhaustive match. Faults reported by the service come from the
//! generated table of the contract's reasons, through [`S3Error::new`].

mod form;
mod local;
mod signature;

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

pub(crate) use self::local::empty_version;
use crate::response::AmzRequestId;
use crate::xml::XmlWriter;

/// An error as S3 clients understand it: a code they act on, a status, and text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} ({status}): {message}", code = .0.code, status = .0.status, message = .0.message)]
pub struct S3Error(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    code: Cow<'static, str>,
    status: StatusCode,
    message: Cow<'static, str>,
    resource: Option<String>,
    elements: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl S3Error {
    /// An error with S3's code (for example `NoSuchKey`), its HTTP status and a message that holds
    /// nothing but what the client may read.
    #[must_use]
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        status: StatusCode,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            code: code.into(),
            status,
            message: message.into(),
            resource: None,
            elements: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// `InvalidArgument` (400) with S3's `ArgumentName` and `ArgumentValue` elements.
    #[must_use]
    pub fn invalid_argument(
        name: impl Into<String>,
        value: impl Into<String>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new("InvalidArgument", StatusCode::BAD_REQUEST, message)
            .with_element("ArgumentName", name)
            .with_element("ArgumentValue", value)
    }

    /// `InvalidRequest` (400).
    #[must_use]
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("InvalidRequest", StatusCode::BAD_REQUEST, message)
    }

    /// `AccessDenied` (403).
    #[must_use]
    pub fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("AccessDenied", StatusCode::FORBIDDEN, message)
    }

    /// `NotImplemented` (501): a feature that exists in S3 and not here.
    #[must_use]
    pub fn not_implemented(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("NotImplemented", StatusCode::NOT_IMPLEMENTED, message)
    }

    /// `InternalError` (500), with S3's own text and no detail.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            "InternalError",
            StatusCode::INTERNAL_SERVER_ERROR,
            "We encountered an internal error. Please try again.",
        )
    }

    /// Names the resource: the decoded path, `/bucket/key`.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.0.resource = Some(resource.into());
        self
    }

    /// Adds one of the elements that S3 puts beside `Code` and `Message` for certain codes.
    #[must_use]
    pub fn with_element(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.elements.push((name, value.into()));
        self
    }

    /// Adds the bucket or key that the error is about, where S3 does so and the error does not name another.
    #[must_use]
    pub fn about(self, target: &crate::target::Target) -> Self {
        let (name, value) = match self.code() {
            "NoSuchBucket"
            | "BucketAlreadyExists"
            | "BucketAlreadyOwnedByYou"
            | "BucketNotEmpty"
            | "InvalidBucketName"
            | "NoSuchCORSConfiguration"
            | "NoSuchTagSet"
            | "OwnershipControlsNotFoundError" => ("BucketName", target.bucket()),
            "NoSuchKey" => ("Key", target.key()),
            _ => return self,
        };
        match (self.element(name), value) {
            (None, Some(value)) => self.with_element(name, value),
            (Some(_), _) | (None, None) => self,
        }
    }

    /// Adds a header that the answer must carry, for example `x-amz-bucket-region`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// S3's code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The resource, if it was named.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }

    /// The value of an extra element.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&str> {
        let found = self.0.elements.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Headers of the answer besides the standard ones.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.0.headers
    }

    /// Whether an answer of this status may carry a body at all (RFC 9110, 6.4.1).
    #[must_use]
    pub fn has_body(&self) -> bool {
        self.0.status != StatusCode::NOT_MODIFIED && self.0.status != StatusCode::NO_CONTENT
    }

    /// The `<Error>` document. A HEAD answer must not send it.
    #[must_use]
    pub fn to_xml(&self, request_id: &AmzRequestId) -> Bytes {
        let mut xml = XmlWriter::document();
        self.write_element(&mut xml, request_id);
        xml.finish()
    }

    /// Writes the `<Error>` element into a document that is already open: a long
    /// CompleteMultipartUpload fails in this way after its 200 has been sent.
    pub fn write_element(&self, xml: &mut XmlWriter, request_id: &AmzRequestId) {
        xml.open("Error");
        xml.text_element("Code", &self.0.code);
        xml.text_element("Message", &self.0.message);
        for (name, value) in &self.0.elements {
            xml.text_element(name, value);
        }
        if let Some(resource) = &self.0.resource {
            xml.text_element("Resource", resource);
        }
        xml.text_element("RequestId", request_id.as_str());
        xml.text_element("HostId", &request_id.host_id());
        xml.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request_id() -> AmzRequestId {
        AmzRequestId::from_bytes([7; 16])
    }

    #[test]
    fn renders_the_elements_that_clients_parse() {
        let error = S3Error::invalid_argument("x<y", "1", "bad").with_resource("/b/k\u{1}&");
        let xml = String::from_utf8(error.to_xml(&request_id()).to_vec()).unwrap();
        assert!(xml.starts_with(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidArgument</Code>"
        ));
        assert!(xml.contains("<ArgumentName>x&lt;y</ArgumentName>"));
        assert!(xml.contains("<Resource>/b/k&#x1;&amp;</Resource>"));
        assert!(xml.contains(&format!("<RequestId>{}</RequestId>", request_id().as_str())));
        assert!(xml.ends_with("</Error>"));
    }

    #[test]
    fn not_modified_has_no_body() {
        assert!(!S3Error::new("NotModified", StatusCode::NOT_MODIFIED, "").has_body());
        assert!(S3Error::internal().has_body());
    }

    #[test]
    fn the_bucket_or_key_is_named_unless_another_is() {
        let target = crate::target::Target::object("b", "k".to_owned()).unwrap();
        let of = |code: &'static str| S3Error::new(code, StatusCode::NOT_FOUND, "");
        let bucket = of("NoSuchBucket").about(&target);
        assert_eq!(bucket.element("BucketName"), Some("b"));
        assert_eq!(of("NoSuchKey").about(&target).element("Key"), Some("k"));
        let source = of("NoSuchKey").with_element("Key", "source").about(&target);
        assert_eq!(source.element("Key"), Some("source"));
        assert_eq!(of("AccessDenied").about(&target), of("AccessDenied"));
    }

    #[test]
    fn elements_are_found_by_name() {
        let error = S3Error::access_denied("no").with_element("HeadersNotSigned", "x-amz-acl");
        assert_eq!(error.element("HeadersNotSigned"), Some("x-amz-acl"));
        assert_eq!(error.element("Other"), None);
    }
}
