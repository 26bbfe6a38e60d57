//! Header values in S3's spelling: dates, user metadata, ETag lists, content encodings.

use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::dates;

/// User metadata: names (after the prefix) and values together, as S3 counts them.
pub const MAX_METADATA_BYTES: usize = 2048;

const METADATA_PREFIX: &str = "x-amz-meta-";

/// No list of entity tags in practice has more than a few.
const MAX_ENTITY_TAGS: usize = 100;

/// Why a header was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Names and values of user metadata exceed 2 KiB.
    #[error("user metadata of {bytes} bytes")]
    MetadataTooLarge {
        /// Their total.
        bytes: usize,
    },
    /// User metadata that is neither UTF-8 nor free of control characters.
    #[error("user metadata {name:?} is not UTF-8 text")]
    InvalidMetadata {
        /// The name after the prefix.
        name: String,
    },
    /// `If-Match` or `If-None-Match` that is no list of entity tags.
    #[error("malformed entity tag list")]
    InvalidEntityTags,
}

/// Reads an HTTP date in any of the three forms of RFC 9110. A malformed date in a condition is to
/// be ignored (RFC 9110, 13.1.3), hence no error.
#[must_use]
pub fn parse_http_date(value: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(value.trim())
        .ok()
        .map(OffsetDateTime::from)
}

/// Writes an HTTP date, for `Last-Modified`. Times before 1970 or after 9999 become the nearest
/// that the format can hold.
#[must_use]
pub fn format_http_date(time: OffsetDateTime) -> String {
    dates::http_date(time.unix_timestamp()).to_owned()
}

/// Writes a time as S3 does in XML: UTC, always with milliseconds (some parsers insist).
#[must_use]
pub fn format_iso8601(time: OffsetDateTime) -> String {
    dates::iso8601(time.unix_timestamp(), time.nanosecond()).to_owned()
}

/// Reads an ISO 8601 time as clients send it in XML and in object-lock headers: with an offset or
/// `Z`, with or without a fraction, or a date alone (midnight UTC, as in lifecycle rules).
#[must_use]
pub fn parse_iso8601(value: &str) -> Option<OffsetDateTime> {
    use time::format_description::well_known::{Iso8601, Rfc3339};
    let value = value.trim();
    if let Ok(time) = OffsetDateTime::parse(value, &Rfc3339) {
        return Some(time);
    }
    if let Ok(time) = time::PrimitiveDateTime::parse(value, &Iso8601::DEFAULT) {
        return Some(time.assume_utc());
    }
    let date = time::Date::parse(value, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.midnight().assume_utc())
}

/// Collects `x-amz-meta-*`: names in lower case without the prefix, in the order of arrival, values
/// of repeated names joined by a comma. RFC 2047 words are kept as they came; so is non-ASCII
/// UTF-8, which S3 clients read back unchanged.
///
/// # Errors
/// `MetadataTooLarge`, `InvalidMetadata`.
pub fn user_metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, HeaderError> {
    let mut found = Vec::new();
    let mut bytes = 0;
    for name in headers.keys() {
        let Some(short) = name.as_str().strip_prefix(METADATA_PREFIX) else {
            continue;
        };
        if short.is_empty() {
            continue;
        }
        let value =
            joined_value(headers, name.as_str()).ok_or_else(|| HeaderError::InvalidMetadata {
                name: short.to_owned(),
            })?;
        bytes += short.len() + value.len();
        found.push((short.to_owned(), value));
    }
    if bytes > MAX_METADATA_BYTES {
        return Err(HeaderError::MetadataTooLarge { bytes });
    }
    Ok(found)
}

/// All lines of a header joined by a comma; nothing if one is not UTF-8.
fn joined_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        lines.push(std::str::from_utf8(line.as_bytes()).ok()?);
    }
    Some(lines.join(","))
}

/// A header value for stored text: the UTF-8 bytes as they are. Nothing if the text holds control
/// characters, which no stored value may (they would split the answer).
#[must_use]
pub fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

/// A header value in ISO-8859-1, as S3 encodes the response headers that a request overrides. `None` if the text has
/// other characters or control characters.
#[must_use]
pub fn latin1_header_value(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`.
    Any,
    /// One or more tags.
    List(Vec<EntityTag>),
}

/// One entity tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag {
    /// What stands between the quotes.
    pub value: String,
    /// Whether `W/` stood before: never equal in a strong comparison (RFC 9110, 8.8.3.2).
    pub strength: TagStrength,
}

/// Whether an entity tag was marked as weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagStrength {
    /// `"value"`.
    Strong,
    /// `W/"value"`.
    Weak,
}

impl EntityTags {
    /// Reads the header. S3 clients also send tags without quotes; those are taken as strong.
    ///
    /// # Errors
    /// `InvalidEntityTags` for an empty list, an open quote, or more than 100 tags.
    pub fn parse(header: &str) -> Result<Self, HeaderError> {
        if header.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = header.trim();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(',') {
                rest = after.trim_start();
                continue;
            }
            let (tag, after) = next_tag(rest)?;
            if tags.len() >= MAX_ENTITY_TAGS {
                return Err(HeaderError::InvalidEntityTags);
            }
            tags.push(tag);
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(HeaderError::InvalidEntityTags);
            }
        }
        if tags.is_empty() {
            return Err(HeaderError::InvalidEntityTags);
        }
        Ok(Self::List(tags))
    }

    /// Strong comparison, for `If-Match`.
    #[must_use]
    pub fn matches_strongly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags
                .iter()
                .any(|tag| tag.strength == TagStrength::Strong && tag.value == etag),
        }
    }

    /// Weak comparison, for `If-None-Match`.
    #[must_use]
    pub fn matches_weakly(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| tag.value == etag),
        }
    }
}

fn next_tag(text: &str) -> Result<(EntityTag, &str), HeaderError> {
    let (strength, text) = match text.strip_prefix("W/") {
        Some(rest) if rest.starts_with('"') => (TagStrength::Weak, rest),
        Some(_) | None => (TagStrength::Strong, text),
    };
    let (value, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted
            .split_once('"')
            .ok_or(HeaderError::InvalidEntityTags)?,
        None => {
            let end = text.find(',').unwrap_or(text.len());
            let (value, rest) = text.split_at(end);
            let value = value.trim_end();
            if value == "*" || value.contains(['"', ' ', '\t']) {
                return Err(HeaderError::InvalidEntityTags);
            }
            (value, rest)
        }
    };
    Ok((
        EntityTag {
            value: value.to_owned(),
            strength,
        },
        rest,
    ))
}

/// The `Content-Encoding` to store: as sent, but for `aws-chunked`, which describes the transfer only. Nothing if no
/// other coding is left.
#[must_use]
pub fn stored_content_encoding(header: &str) -> Option<String> {
    let kept: Vec<&str> = header
        .split(',')
        .filter(|coding| !is_aws_chunked(coding))
        .collect();
    let stored = kept.join(",");
    let stored = stored.trim();
    let is_empty = stored.split(',').all(|coding| coding.trim().is_empty());
    (!is_empty).then(|| stored.to_owned())
}

/// Whether the codings of a `Content-Encoding` say that the body is framed.
pub(crate) fn names_aws_chunked(header: &str) -> bool {
    header.split(',').any(is_aws_chunked)
}

fn is_aws_chunked(coding: &str) -> bool {
    coding.trim().eq_ignore_ascii_case("aws-chunked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn dates_in_all_forms() {
        let time = datetime!(1994-11-06 08:49:37 UTC);
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse_http_date(text), Some(time), "{text}");
        }
        assert_eq!(parse_http_date("yesterday"), None);
        assert_eq!(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(format_iso8601(time), "1994-11-06T08:49:37.000Z");
        assert_eq!(
            format_iso8601(datetime!(2026-01-02 03:04:05.6789 +2)),
            "2026-01-02T01:04:05.678Z"
        );
        assert_eq!(
            format_http_date(datetime!(1960-01-01 0:00 UTC)),
            "Thu, 01 Jan 1970 00:00:00 GMT"
        );
    }

    #[test]
    fn iso_dates_as_clients_send_them() {
        let time = datetime!(2026-01-02 03:04:05 UTC);
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.000Z",
            "2026-01-02T05:04:05+02:00",
            "2026-01-02T03:04:05",
        ] {
            assert_eq!(parse_iso8601(text), Some(time), "{text}");
        }
        assert_eq!(
            parse_iso8601("2026-01-02"),
            Some(datetime!(2026-01-02 0:00 UTC))
        );
        assert_eq!(parse_iso8601("2026-13-02"), None);
    }

    #[test]
    fn metadata_is_collected_and_bounded() {
        let mut headers = HeaderMap::new();
        headers.append(
            "x-amz-meta-a",
            HeaderValue::from_bytes("é".as_bytes()).unwrap(),
        );
        headers.append("x-amz-meta-b", HeaderValue::from_static("1"));
        headers.append("x-amz-meta-b", HeaderValue::from_static("2"));
        headers.append("content-type", HeaderValue::from_static("x"));
        let expected = vec![
            ("a".to_owned(), "é".to_owned()),
            ("b".to_owned(), "1,2".to_owned()),
        ];
        assert_eq!(user_metadata(&headers), Ok(expected));
        headers.insert(
            "x-amz-meta-a",
            HeaderValue::from_str(&"v".repeat(2043)).unwrap(),
        );
        assert!(user_metadata(&headers).is_ok());
        headers.insert(
            "x-amz-meta-a",
            HeaderValue::from_str(&"v".repeat(2044)).unwrap(),
        );
        assert_eq!(
            user_metadata(&headers),
            Err(HeaderError::MetadataTooLarge { bytes: 2049 })
        );
        headers.insert("x-amz-meta-a", HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(matches!(
            user_metadata(&headers),
            Err(HeaderError::InvalidMetadata { .. })
        ));
    }

    #[test]
    fn entity_tags_in_all_spellings() {
        assert_eq!(EntityTags::parse(" * "), Ok(EntityTags::Any));
        let tags = EntityTags::parse("\"a\", W/\"b\" ,c,, \"d,e\"").unwrap();
        for etag in ["a", "c", "d,e"] {
            assert!(tags.matches_strongly(etag), "{etag}");
        }
        assert!(!tags.matches_strongly("b") && tags.matches_weakly("b"));
        assert!(!tags.matches_weakly("x") && EntityTags::Any.matches_strongly("x"));
        for header in ["", ",", "\"a", "\"a\"b", "a b", "a, *"] {
            assert_eq!(
                EntityTags::parse(header),
                Err(HeaderError::InvalidEntityTags),
                "{header}"
            );
        }
    }

    #[test]
    fn aws_chunked_is_not_stored() {
        assert_eq!(
            stored_content_encoding("aws-chunked,gzip"),
            Some("gzip".into())
        );
        assert_eq!(
            stored_content_encoding("gzip, AWS-Chunked , br"),
            Some("gzip, br".into())
        );
        assert_eq!(
            stored_content_encoding("aws-chunked, gzip"),
            Some("gzip".into())
        );
        assert_eq!(stored_content_encoding("aws-chunked"), None);
        assert_eq!(stored_content_encoding("aws-chunked, aws-chunked"), None);
        assert_eq!(
            stored_content_encoding("deflate, gzip"),
            Some("deflate, gzip".into())
        );
        assert!(names_aws_chunked("gzip, AWS-Chunked") && !names_aws_chunked("gzip"));
        assert_eq!(stored_content_encoding(""), None);
    }

    #[test]
    fn replaced_headers_are_latin_1() {
        let value = latin1_header_value("caf\u{e9}").unwrap();
        assert_eq!(value.as_bytes(), b"caf\xe9");
        for text in ["\u{20ac}", "a\r\nb"] {
            assert_eq!(latin1_header_value(text), None, "{text:?}");
        }
    }

    #[test]
    fn header_values_cannot_split_an_answer() {
        assert!(header_value("a\r\nb").is_none());
        assert_eq!(header_value("é").unwrap().as_bytes(), "é".as_bytes());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", seconds in -62_167_219_200_i64..253_402_300_800) {
            let _ = EntityTags::parse(&text);
            let _ = parse_http_date(&text);
            let _ = parse_iso8601(&text);
            if let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) {
                let _ = format_http_date(time);
                prop_assert_eq!(parse_iso8601(&format_iso8601(time)), Some(time));
            }
        }
    }
}
