//! How long a body says it is.

use http::{HeaderMap, HeaderName};

use crate::header_names::{CONTENT_LENGTH, X_AMZ_DECODED_CONTENT_LENGTH};
use crate::sigv4::PayloadHash;

/// Why the declared length was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// A chunked upload without `x-amz-decoded-content-length`, or an upload without any length.
    #[error("missing content length")]
    Missing,
    /// Not a plain decimal number of at most 64 bits, or several different ones.
    #[error("malformed {header}: {value:?}")]
    Malformed {
        /// The header.
        header: &'static str,
        /// Its value.
        value: String,
    },
    /// `x-amz-decoded-content-length`, but `x-amz-content-sha256` does not say that the body is
    /// framed: its framing would become content.
    #[error("decoded length of a body that is not framed")]
    NotFramed,
}

/// The number of bytes of data: the decoded length of an aws-chunked body, else `Content-Length`;
/// nothing if the latter is absent.
///
/// # Errors
/// Any [`LengthError`]; `Missing` only for aws-chunked bodies.
pub fn data_length(headers: &HeaderMap, payload: &PayloadHash) -> Result<Option<u64>, LengthError> {
    let decoded = length(headers, &X_AMZ_DECODED_CONTENT_LENGTH)?;
    match (payload.is_streaming(), decoded) {
        (true, Some(decoded)) => Ok(Some(decoded)),
        (true, None) => Err(LengthError::Missing),
        (false, Some(_)) => Err(LengthError::NotFramed),
        (false, None) => length(headers, &CONTENT_LENGTH),
    }
}

fn length(headers: &HeaderMap, name: &'static HeaderName) -> Result<Option<u64>, LengthError> {
    let mut found: Option<u64> = None;
    for value in headers.get_all(name) {
        let malformed = || LengthError::Malformed {
            header: name.as_str(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        // The number parser would take a sign.
        let digits = value
            .to_str()
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(malformed)?;
        if found.is_some_and(|found| found != number) {
            return Err(malformed());
        }
        found = Some(number);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const CONTENT_LENGTH: &str = "content-length";
    const DECODED_LENGTH: &str = "x-amz-decoded-content-length";

    fn read(
        pairs: &[(&'static str, &str)],
        payload: PayloadHash,
    ) -> Result<Option<u64>, LengthError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        data_length(&headers, &payload)
    }

    #[test]
    fn framed_bodies_need_a_decoded_length() {
        let streaming = PayloadHash::StreamingUnsignedTrailer;
        let both = [(CONTENT_LENGTH, "99"), (DECODED_LENGTH, "5")];
        assert_eq!(read(&both, streaming), Ok(Some(5)));
        assert_eq!(read(&both[..1], streaming), Err(LengthError::Missing));
        assert_eq!(
            read(&both, PayloadHash::Unsigned),
            Err(LengthError::NotFramed)
        );
    }

    #[test]
    fn plain_bodies_may_lack_a_length() {
        assert_eq!(read(&[], PayloadHash::Unsigned), Ok(None));
        assert_eq!(
            read(&[(CONTENT_LENGTH, "0")], PayloadHash::Hex([0; 32])),
            Ok(Some(0))
        );
    }

    #[test]
    fn lengths_are_plain_numbers() {
        for value in ["", "-1", "+5", "5 5", "0x5", "1.0", "18446744073709551616"] {
            let refused = read(&[(CONTENT_LENGTH, value)], PayloadHash::Unsigned);
            assert!(
                matches!(refused, Err(LengthError::Malformed { .. })),
                "{value}"
            );
        }
        let two = [(CONTENT_LENGTH, "5"), (CONTENT_LENGTH, "6")];
        assert!(matches!(
            read(&two, PayloadHash::Unsigned),
            Err(LengthError::Malformed { .. })
        ));
    }
}
