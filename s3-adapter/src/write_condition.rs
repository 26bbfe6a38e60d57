//! Conditions of writes.

use http::HeaderMap;
use http::header::IF_NONE_MATCH;

use crate::error::S3Error;

/// Refuses `If-None-Match` of a write with any other value than `*`, as S3 does.
///
/// # Errors
/// `NotImplemented`.
pub(crate) fn require_any(headers: &HeaderMap) -> Result<(), S3Error> {
    let mut values = headers.get_all(IF_NONE_MATCH).iter();
    match values.all(|value| value.as_bytes().trim_ascii() == b"*") {
        true => Ok(()),
        false => Err(S3Error::not_implemented(
            "A header you provided implies functionality that is not implemented",
        )
        .with_element("Header", "If-None-Match")
        .with_element(
            "additionalMessage",
            "We don't accept the provided value of If-None-Match header for this API",
        )),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_star_is_a_condition_of_a_write() {
        let mut headers = HeaderMap::new();
        assert_eq!(require_any(&headers), Ok(()));
        headers.append(IF_NONE_MATCH, HeaderValue::from_static(" * "));
        assert_eq!(require_any(&headers), Ok(()));
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"etag\""));
        let refused = require_any(&headers).unwrap_err();
        assert_eq!(
            (refused.status().as_u16(), refused.code()),
            (501, "NotImplemented")
        );
        assert_eq!(refused.element("Header"), Some("If-None-Match"));
    }
}
