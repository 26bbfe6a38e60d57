//! What every answer carries: request ids, `Date` and `Server`.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{DATE, SERVER};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::dates::http_date;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const SERVER_NAME: HeaderValue = HeaderValue::from_static("bucketry");

/// Identifies one request in answers, logs and denials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AmzRequestId(Arc<str>);

impl AmzRequestId {
    /// 32 upper-case hex digits made of 16 bytes, which the caller takes from its own source of unique values.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(hex::encode_upper(bytes).into())
    }

    /// The id that the front has given to the request, so that its logs and the answer agree: 1 to 64 letters, digits,
    /// `-` and `_`. Nothing if it is something else.
    #[must_use]
    pub fn from_text(text: impl Into<Arc<str>>) -> Option<Self> {
        let text: Arc<str> = text.into();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_id = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then_some(Self(text))
    }

    /// The value of `x-amz-request-id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of `x-amz-id-2`. S3 puts an opaque routing token there; clients only copy it into
    /// support requests, so it repeats the request id in S3's base64 look.
    #[must_use]
    pub fn host_id(&self) -> String {
        STANDARD.encode(self.0.as_bytes())
    }
}

/// Sets `x-amz-request-id`, `x-amz-id-2`, `Date` and `Server`. `now` is the time of the answer.
pub fn set_standard_headers(headers: &mut HeaderMap, request_id: &AmzRequestId, now: SystemTime) {
    headers.insert(SERVER, SERVER_NAME);
    let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since_epoch.unwrap_or_default().as_secs();
    let date = http_date(i64::try_from(seconds).unwrap_or(i64::MAX));
    let values = [
        (REQUEST_ID, HeaderValue::from_str(&request_id.0)),
        (HOST_ID, HeaderValue::try_from(request_id.host_id())),
        (DATE, HeaderValue::from_str(&date)),
    ];
    for (name, value) in values {
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_front_may_name_its_own_ids() {
        assert!(AmzRequestId::from_text("0192f3-a_B").is_some());
        for text in ["", "a b", "a\r\nb", "é", &"a".repeat(65)] {
            assert_eq!(AmzRequestId::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn all_four_headers_are_set() {
        let mut headers = HeaderMap::new();
        let id = AmzRequestId::from_bytes([0xab; 16]);
        set_standard_headers(
            &mut headers,
            &id,
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600),
        );
        assert_eq!(headers["x-amz-request-id"], "AB".repeat(16));
        assert_eq!(headers["date"], "Fri, 24 May 2013 00:00:00 GMT");
        assert_eq!(headers["server"], "bucketry");
        assert!(!headers["x-amz-id-2"].is_empty());
    }
}
