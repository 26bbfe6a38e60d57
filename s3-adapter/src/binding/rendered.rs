//! The answer to an S3 request, without what every answer has (request id, date, server).

use std::collections::HashMap;

use aws_smithy_http::label::{EncodingStrategy, fmt_string};
use bucketry_contract::v1;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, IntoHeaderName};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::binding::{RequestView, Text, encode};
use crate::checksum::header_name;
use crate::encoded_word::encoded_words;
use crate::headers::{header_value, latin1_header_value};
use crate::xml::XmlWriter;

/// What `encoding-type=url` leaves as it is. A space becomes `%20`, which every decoder reads (S3's own `+` is read by
/// some only).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/')
    .remove(b'*');

/// The headers of an object's answer, those that every answer has included. A map of so many does not grow.
const USUAL_HEADERS: usize = 12;

/// What rendering needs of the S3 request.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    /// The request.
    pub view: RequestView<'a>,
    /// The URL of the server as clients reach it, as in `http://localhost:9000`.
    pub public_url: &'a str,
}

impl RenderContext<'_> {
    /// Whether keys are percent-encoded in the answer.
    #[must_use]
    pub fn encodes_urls(&self) -> bool {
        self.view.query_is("encoding-type", "url")
    }

    /// The value, percent-encoded if the request asks for it.
    #[must_use]
    pub fn url_encoded<'v>(&self, value: Option<Text<'v>>) -> Option<Text<'v>> {
        if !self.encodes_urls() {
            return value;
        }
        value.map(|value| Text::Owned(utf8_percent_encode(&value.into_text(), KEPT).to_string()))
    }

    /// The path of the resource, percent-encoded.
    #[must_use]
    pub fn resource_path(&self) -> Text<'static> {
        Text::Owned(utf8_percent_encode(&self.view.target.resource(), KEPT).to_string())
    }

    /// The URL of the bucket or key in path style, which every client can follow.
    #[must_use]
    pub fn resource_url(&self) -> String {
        let path = fmt_string(self.view.target.resource(), EncodingStrategy::Greedy);
        format!("{}{path}", self.public_url)
    }
}

/// Status, headers and body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body: a document, or nothing.
    pub body: Bytes,
}

impl Rendered {
    /// An answer without headers and body. The status is one of the contract's.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self {
            status: status_code(status),
            headers: HeaderMap::with_capacity(USUAL_HEADERS),
            body: Bytes::new(),
        }
    }

    /// Changes the status.
    pub fn set_status(&mut self, status: u16) {
        self.status = status_code(status);
    }

    /// Sets a header, if there is a value. One with control characters, which would split the answer, is left out: no
    /// S3 client can have stored it.
    pub fn header(&mut self, name: impl IntoHeaderName, value: Option<Text<'_>>) {
        if let Some(value) = value.and_then(|value| value.header_value()) {
            self.headers.insert(name, value);
        }
    }

    /// Sets a header to what the request asks for instead.
    pub fn replace(&mut self, name: HeaderName, value: Option<&str>) {
        if let Some(value) = value.and_then(latin1_header_value) {
            self.headers.insert(name, value);
        }
    }

    /// Sets the headers of user metadata, as encoded words where it is not ASCII. What cannot be a header is counted in
    /// `x-amz-missing-meta`. Both as in S3.
    pub fn metadata(&mut self, prefix: &'static str, metadata: Option<&HashMap<String, String>>) {
        let mut missing = 0_u32;
        for (name, value) in metadata.into_iter().flatten() {
            let name = HeaderName::from_bytes(format!("{prefix}{name}").as_bytes());
            match (name, header_value(&encoded_words(value))) {
                (Ok(name), Some(value)) => {
                    self.headers.insert(name, value);
                }
                _ => missing += 1,
            }
        }
        if missing > 0 {
            self.headers
                .insert("x-amz-missing-meta", HeaderValue::from(missing));
        }
    }

    /// Sets the header of a checksum.
    pub fn checksum(&mut self, checksum: Option<&v1::Checksum>) {
        if let Some((algorithm, value)) = checksum.and_then(encode::checksum) {
            self.header(header_name(algorithm), Some(Text::Owned(value)));
        }
    }

    /// Sets the body to a document.
    pub fn document(&mut self, xml: XmlWriter) {
        let xml_type = HeaderValue::from_static("application/xml");
        self.headers.insert(CONTENT_TYPE, xml_type);
        self.body = xml.finish();
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
