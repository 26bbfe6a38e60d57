//! The headers of a request as its operation means them.

use std::borrow::Cow;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};

use crate::headers::stored_content_encoding;

/// The request's headers with those that a presigned URL carries in its query, and without the word for the framing of
/// the transfer in `Content-Encoding`. What is in both is the same: the signature parsers refuse everything else.
pub(crate) fn effective_headers<'a>(
    received: &'a HeaderMap,
    hoisted: Option<&HeaderMap>,
) -> Cow<'a, HeaderMap> {
    let mut headers = Cow::Borrowed(received);
    for (name, value) in hoisted.into_iter().flatten() {
        if !headers.contains_key(name) {
            headers.to_mut().insert(name, value.clone());
        }
    }
    if headers.contains_key(CONTENT_ENCODING) {
        strip_transfer_encoding(headers.to_mut());
    }
    headers
}

fn strip_transfer_encoding(headers: &mut HeaderMap) {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let lines: Option<Vec<&str>> = lines.map(|line| line.to_str().ok()).collect();
    let Some(joined) = lines
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join(","))
    else {
        return;
    };
    headers.remove(CONTENT_ENCODING);
    let stored = stored_content_encoding(&joined);
    if let Some(value) = stored.and_then(|stored| HeaderValue::try_from(stored).ok()) {
        headers.insert(CONTENT_ENCODING, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn hoisted_headers_join_and_never_replace() {
        let received = headers(&[("content-type", "a")]);
        let hoisted = headers(&[("content-type", "b"), ("x-amz-meta-x", "1")]);
        let effective = effective_headers(&received, Some(&hoisted));
        assert_eq!(effective["content-type"], "a");
        assert_eq!(effective["x-amz-meta-x"], "1");
    }

    #[test]
    fn the_framing_is_no_content_encoding() {
        let received = headers(&[("content-encoding", "aws-chunked")]);
        let chunked = effective_headers(&received, None);
        assert!(!chunked.contains_key("content-encoding"));
        let both = headers(&[
            ("content-encoding", "aws-chunked"),
            ("content-encoding", "gzip"),
        ]);
        assert_eq!(effective_headers(&both, None)["content-encoding"], "gzip");
    }
}
