//! `x-amz-copy-source` and `x-amz-copy-source-range`.

use percent_encoding::percent_decode_str;

use crate::query::has_valid_percents;
use crate::target::MAX_KEY_BYTES;

/// What to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// The bucket's name as the client gave it.
    pub bucket: String,
    /// The key, decoded once, 1 to 1,024 bytes.
    pub key: String,
    /// The version, if one was named.
    pub version_id: Option<String>,
}

/// Why a copy header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CopySourceError {
    /// The source is not `bucket/key`, or not decodable.
    #[error("copy source {0:?} is not bucket/key")]
    Malformed(String),
    /// Percent-encoding that cannot be decoded.
    #[error("copy source {0:?} cannot be decoded")]
    Encoding(String),
    /// `versionId=` without a value.
    #[error("copy source {0:?} has an empty version")]
    EmptyVersion(String),
    /// Another query than `versionId=`.
    #[error("copy source {0:?} has an unknown query")]
    UnknownQuery(String),
    /// The range is not `bytes=first-last`.
    #[error("copy source range {0:?} is malformed")]
    MalformedRange(String),
}

impl CopySource {
    /// Reads `[/]bucket/key[?versionId=id]`, encoded as form data: a `+` is a space, unlike in paths (Java's
    /// `URLEncoder` and s5cmd write it so, and S3 reads it so).
    /// An access-point ARN is not `bucket/key` and is refused.
    ///
    /// # Errors
    /// Any but `MalformedRange`.
    pub fn parse(header: &str) -> Result<Self, CopySourceError> {
        let malformed = || CopySourceError::Malformed(header.to_owned());
        // A raw `?` starts the query; one that belongs to the key is sent encoded.
        let (path, query) = match header.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (header, None),
        };
        let path = decode(path).ok_or_else(|| CopySourceError::Encoding(header.to_owned()))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(malformed)?;
        if bucket.is_empty() || key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(malformed());
        }
        if bucket.starts_with("arn:") {
            return Err(malformed());
        }
        let version_id = query.map(|query| version_of(header, query)).transpose()?;
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id,
        })
    }
}

fn version_of(header: &str, query: &str) -> Result<String, CopySourceError> {
    if query == "versionId=" {
        return Err(CopySourceError::EmptyVersion(header.to_owned()));
    }
    let id = query.strip_prefix("versionId=").and_then(decode);
    id.filter(|id| !id.is_empty() && !id.contains('&'))
        .ok_or_else(|| CopySourceError::UnknownQuery(header.to_owned()))
}

fn decode(text: &str) -> Option<String> {
    if !has_valid_percents(text) {
        return None;
    }
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
}

/// The bytes of the source that an UploadPartCopy takes: both ends given, unlike `Range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopySourceRange {
    /// First byte.
    pub first: u64,
    /// Last byte, included; `first <= last`.
    pub last: u64,
}

impl CopySourceRange {
    /// Reads `bytes=first-last`. Nothing else is allowed, and nothing is ignored: a part of the
    /// wrong length would be worse than an error.
    ///
    /// # Errors
    /// `MalformedRange`.
    pub fn parse(header: &str) -> Result<Self, CopySourceError> {
        let read = || {
            let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
            let (first, last) = (digits(first)?, digits(last)?);
            (first <= last).then_some(Self { first, last })
        };
        read().ok_or_else(|| CopySourceError::MalformedRange(header.to_owned()))
    }
}

fn digits(text: &str) -> Option<u64> {
    // `u64::from_str` takes a leading plus sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<CopySource, CopySourceError> {
        Ok(CopySource {
            bucket: bucket.into(),
            key: key.into(),
            version_id: version_id.map(Into::into),
        })
    }

    #[test]
    fn reads_what_clients_send() {
        assert_eq!(CopySource::parse("b/k"), source("b", "k", None));
        assert_eq!(
            CopySource::parse("/b/a%20b+c%2Bd//e"),
            source("b", "a b c+d//e", None)
        );
        assert_eq!(CopySource::parse("b%2Fk%3Fx"), source("b", "k?x", None));
        assert_eq!(
            CopySource::parse("/b/k?versionId=null"),
            source("b", "k", Some("null"))
        );
        assert_eq!(CopySource::parse("b/%252F"), source("b", "%2F", None));
    }

    #[test]
    fn refuses_the_rest() {
        for header in ["", "/", "b", "b/", "/b/", "//k", "arn:aws:s3:::b/k"] {
            assert!(
                matches!(
                    CopySource::parse(header),
                    Err(CopySourceError::Malformed(_))
                ),
                "{header}"
            );
        }
        for header in ["b/k?", "b/k?versionid=1", "b/k?versionId=1&x=2", "b/k?acl"] {
            assert!(
                matches!(
                    CopySource::parse(header),
                    Err(CopySourceError::UnknownQuery(_))
                ),
                "{header}"
            );
        }
    }

    #[test]
    fn an_undecodable_source_has_its_own_error() {
        for header in ["b/%", "b/%ff"] {
            let refused = CopySourceError::Encoding(header.to_owned());
            assert_eq!(CopySource::parse(header), Err(refused));
        }
    }

    #[test]
    fn an_empty_version_has_its_own_error() {
        let header = "b/k?versionId=";
        let refused = CopySourceError::EmptyVersion(header.to_owned());
        assert_eq!(CopySource::parse(header), Err(refused));
    }

    #[test]
    fn ranges_need_both_ends() {
        assert_eq!(
            CopySourceRange::parse("bytes=0-5"),
            Ok(CopySourceRange { first: 0, last: 5 })
        );
        for header in [
            "bytes=5-4",
            "bytes=-5",
            "bytes=5-",
            "0-5",
            "bytes=0-5,6-7",
            "bytes=+0-5",
            "bytes=0-18446744073709551616",
        ] {
            assert!(CopySourceRange::parse(header).is_err(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(header in "\\PC*") {
            let _ = CopySource::parse(&header);
            let _ = CopySourceRange::parse(&header);
        }
    }
}
