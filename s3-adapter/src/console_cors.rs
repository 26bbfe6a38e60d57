//! Cross-origin answers to presigned requests of a web console, whatever the rules of the bucket say: the signature
//! decides what a request may do, and the operator has listed the origin.

use bucketry_edge::WebOrigin;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::answer::Answer;
use crate::cors::requested_headers;
use crate::error::S3Error;
use crate::headers::header_value;

/// What presigned URLs are made for.
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::PUT];

const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT");

/// How long a browser may remember a preflight, in seconds. Short, because the operator may remove the origin.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What scripts may read in addition to the headers that they may always read. There are no patterns.
const EXPOSED: &str = "accept-ranges, content-disposition, content-encoding, content-range, etag, retry-after, \
     x-amz-checksum-crc32, x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, x-amz-checksum-md5, \
     x-amz-checksum-sha1, x-amz-checksum-sha256, x-amz-checksum-sha512, x-amz-checksum-type, \
     x-amz-checksum-xxhash128, x-amz-checksum-xxhash3, x-amz-checksum-xxhash64, x-amz-id-2, \
     x-amz-mp-parts-count, x-amz-request-id, x-amz-version-id";

/// The console that sends a request, if it is presigned and comes from a page of one of these origins.
pub(crate) fn console_of<'a>(
    consoles: &'a [WebOrigin],
    origin: Option<&HeaderValue>,
    query: Option<&str>,
) -> Option<&'a WebOrigin> {
    let origin = origin?.as_bytes();
    let console = consoles.iter().find(|console| console.is(origin))?;
    is_presigned(query?).then_some(console)
}

/// Whether the query has a signature of version 4. The query may be malformed otherwise: the page must be able to read
/// that error, too.
fn is_presigned(query: &str) -> bool {
    let mut parameters = query.split('&');
    parameters.any(|parameter| parameter.starts_with("X-Amz-Signature="))
}

/// Answers a preflight of a console; `None` if the request is not one that is allowed. The headers for the console itself
/// are those of every answer: see [`answer_headers`].
///
/// # Errors
/// `BadRequest` if the preflight names too many headers.
pub(crate) fn preflight(headers: &HeaderMap) -> Result<Option<Answer>, S3Error> {
    let method = headers.get(ACCESS_CONTROL_REQUEST_METHOD);
    let is_allowed = |method: &HeaderValue| METHODS.iter().any(|known| method == known.as_str());
    if !method.is_some_and(is_allowed) {
        return Ok(None);
    }
    let mut answer = Answer::empty(StatusCode::OK);
    answer
        .headers
        .insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
    answer.headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    let names = requested_headers(headers)?.join(", ");
    if let Some(names) = header_value(&names).filter(|names| !names.is_empty()) {
        answer.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    Ok(Some(answer))
}

/// What lets pages of a console read an answer.
pub(crate) fn answer_headers(console: &WebOrigin) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(3);
    if let Some(origin) = header_value(console.as_str()) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    headers
}

#[cfg(test)]
mod tests {
    use bucketry_domain::ChecksumAlgorithm;

    use super::*;

    #[test]
    fn every_checksum_is_exposed() {
        let exposed: Vec<&str> = EXPOSED.split(", ").collect();
        assert!(exposed.is_sorted(), "{exposed:?}");
        for algorithm in ChecksumAlgorithm::ALL {
            let name = format!("x-amz-checksum-{}", algorithm.name().to_ascii_lowercase());
            assert!(exposed.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_signature_in_the_query_is_what_counts() {
        for query in [
            "X-Amz-Signature=1",
            "a&X-Amz-Signature=",
            "%zz&X-Amz-Signature=x&b",
        ] {
            assert!(is_presigned(query), "{query}");
        }
        for query in [
            "",
            "Signature=1",
            "x=X-Amz-Signature=1",
            "X-Amz-Signature",
            "XX-Amz-Signature=1",
        ] {
            assert!(!is_presigned(query), "{query}");
        }
    }
}
