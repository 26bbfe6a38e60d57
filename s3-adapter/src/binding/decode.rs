//! From S3's spelling to the contract's values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1;
use bucketry_domain::ChecksumAlgorithm;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use prost_types::Timestamp;

use crate::binding::{ParseError, RequestView};
use crate::checksum::{
    ClientChecksum, DigestError, SDK_ALGORITHM, algorithm_of_header, algorithm_of_name,
};
use crate::copy_source::{CopySource, CopySourceRange};
use crate::headers::{EntityTags, TagStrength, parse_http_date, parse_iso8601};
use crate::range::ByteRange;
use crate::xml::{Element, XmlError};

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A header.
    Header(&'static str),
    /// A query parameter.
    Query(&'static str),
    /// An element.
    Element(&'static str),
}

fn invalid(source: Source, value: &str) -> ParseError {
    ParseError::Invalid {
        place: source,
        value: value.to_owned(),
    }
}

/// Text as it is.
///
/// # Errors
/// None.
pub fn text(_source: Source, value: &str) -> Result<String, ParseError> {
    Ok(value.to_owned())
}

/// `true` or `false`, in any case.
///
/// # Errors
/// [`ParseError::Invalid`] for anything else.
pub fn flag(source: Source, value: &str) -> Result<bool, ParseError> {
    match value.trim() {
        yes if yes.eq_ignore_ascii_case("true") => Ok(true),
        no if no.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(invalid(source, value)),
    }
}

/// A number from `min` to `max`; nothing for an empty parameter (`max-keys=`).
///
/// # Errors
/// [`ParseError::Invalid`] for anything else.
pub fn int64(source: Source, value: &str, min: i64, max: i64) -> Result<Option<i64>, ParseError> {
    let digits = value.trim();
    if digits.is_empty() && matches!(source, Source::Query(_)) {
        return Ok(None);
    }
    // `FromStr` takes a leading plus sign; S3 does not.
    let number = digits
        .parse()
        .ok()
        .filter(|number| (min..=max).contains(number) && !digits.starts_with('+'));
    number.map(Some).ok_or_else(|| invalid(source, value))
}

/// As [`int64`].
///
/// # Errors
/// As [`int64`].
pub fn int32(source: Source, value: &str, min: i32, max: i32) -> Result<Option<i32>, ParseError> {
    let number = int64(source, value, i64::from(min), i64::from(max))?;
    Ok(number.and_then(|number| i32::try_from(number).ok()))
}

/// Whether a number is 0; its own field says whether it is a number at all.
///
/// # Errors
/// None.
pub fn is_zero(_source: Source, value: &str) -> Result<bool, ParseError> {
    Ok(value.trim().parse() == Ok(0))
}

/// A time: an HTTP date in a header (a malformed one is ignored, RFC 9110 section 13.1.3), ISO 8601 elsewhere.
///
/// # Errors
/// [`ParseError::Invalid`] for a malformed one that is not in a header.
pub fn time(source: Source, value: &str) -> Result<Option<Timestamp>, ParseError> {
    let time = match source {
        Source::Header(_) => match parse_http_date(value) {
            None => return Ok(None),
            found => found,
        },
        Source::Query(_) | Source::Element(_) => parse_iso8601(value),
    };
    let time = time.ok_or_else(|| invalid(source, value))?;
    let nanos = i32::try_from(time.nanosecond()).unwrap_or_default();
    Ok(Some(Timestamp {
        seconds: time.unix_timestamp(),
        nanos,
    }))
}

/// The value of an enum by its S3 text.
///
/// # Errors
/// [`ParseError::Invalid`] for an unknown one, [`DigestError::UnknownAlgorithm`] where it is a checksum algorithm.
pub fn choice(
    source: Source,
    value: &str,
    of: impl Fn(&str) -> Option<i32>,
) -> Result<i32, ParseError> {
    let found = of(value.trim());
    found.ok_or_else(|| match source {
        Source::Header("x-amz-checksum-algorithm") => {
            DigestError::UnknownAlgorithm(value.to_owned()).into()
        }
        Source::Header(SDK_ALGORITHM) => DigestError::AlgorithmMismatch.into(),
        Source::Header("x-amz-checksum-type") => DigestError::UnknownType(value.to_owned()).into(),
        _ => invalid(source, value),
    })
}

/// An ETag without its quotes.
///
/// # Errors
/// None: one that is no ETag matches no object.
pub fn etag(_source: Source, value: &str) -> Result<String, ParseError> {
    let value = value.trim();
    let bare = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    Ok(bare.unwrap_or(value).to_owned())
}

/// ETags without their quotes, or `*`. A weak one keeps its mark where the comparison is strong (`If-Match`), so that it
/// matches nothing (RFC 9110, section 13.1.1).
///
/// # Errors
/// [`ParseError::Header`] for what is no list of ETags.
pub fn etag_list(source: Source, value: &str) -> Result<Vec<String>, ParseError> {
    let weakly = matches!(source, Source::Header(name) if name.ends_with("if-none-match"));
    Ok(match EntityTags::parse(value)? {
        EntityTags::Any => vec!["*".to_owned()],
        EntityTags::List(tags) => tags
            .into_iter()
            .map(|tag| match tag.strength {
                TagStrength::Weak if !weakly => format!("W/\"{}\"", tag.value),
                TagStrength::Weak | TagStrength::Strong => tag.value,
            })
            .collect(),
    })
}

/// The items of a list in one header; empty ones are none (RFC 9110, section 5.6.1).
pub fn comma_list(value: &str) -> impl Iterator<Item = &str> {
    let items = value.split(',').map(str::trim);
    items.filter(|item| !item.is_empty())
}

/// Bytes in base64: a digest.
///
/// # Errors
/// [`DigestError::InvalidContentMd5`] for a malformed `Content-MD5`, [`ParseError::Invalid`] otherwise.
pub fn base64(source: Source, value: &str) -> Result<Bytes, ParseError> {
    let decoded = STANDARD.decode(value.trim()).ok();
    match source {
        Source::Header("content-md5") => {
            let digest = decoded.filter(|digest| digest.len() == 16);
            digest
                .map(Bytes::from)
                .ok_or_else(|| DigestError::InvalidContentMd5.into())
        }
        _ => decoded
            .map(Bytes::from)
            .ok_or_else(|| invalid(source, value)),
    }
}

/// Tags as `key=value&key=value`, percent-encoded, `+` for a space.
///
/// # Errors
/// [`ParseError::Invalid`] if it is not UTF-8 or has a key twice.
pub fn tag_query(source: Source, value: &str) -> Result<v1::TagSet, ParseError> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        let decoded = percent_decode_str(&spaced)
            .decode_utf8()
            .map(|text| text.into_owned());
        decoded.map_err(|_| invalid(source, value))
    };
    let mut tags: Vec<v1::Tag> = Vec::new();
    for pair in value.split('&').filter(|pair| !pair.is_empty()) {
        let (key, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, text) = (decode(key)?, decode(text)?);
        if tags.iter().any(|tag| tag.key == key) {
            return Err(invalid(source, value));
        }
        tags.push(v1::Tag { key, value: text });
    }
    Ok(v1::TagSet { tags })
}

/// A `Range`; nothing if S3 ignores it.
///
/// # Errors
/// None.
pub fn range(_source: Source, value: &str) -> Result<Option<v1::ByteRange>, ParseError> {
    let offset = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(ByteRange::parse(value).map(|range| match range {
        ByteRange::Between { first, last } => v1::ByteRange {
            start: offset(first),
            end: Some(offset(last)),
        },
        ByteRange::From { first } => v1::ByteRange {
            start: offset(first),
            end: None,
        },
        // `bytes=-0` asks for nothing, which no object satisfies: a start beyond every end.
        ByteRange::Suffix { length: 0 } => v1::ByteRange {
            start: i64::MAX,
            end: None,
        },
        ByteRange::Suffix { length } => v1::ByteRange {
            start: -offset(length),
            end: None,
        },
    }))
}

/// `x-amz-copy-source`.
///
/// # Errors
/// [`ParseError::CopySource`].
pub fn copy_source(_source: Source, value: &str) -> Result<v1::CopySource, ParseError> {
    let source = CopySource::parse(value)?;
    Ok(v1::CopySource {
        bucket: source.bucket,
        key: source.key,
        version_id: source.version_id.unwrap_or_default(),
        precondition: None,
    })
}

/// `x-amz-copy-source-range`.
///
/// # Errors
/// [`ParseError::CopySource`].
pub fn copy_range(_source: Source, value: &str) -> Result<v1::ByteRange, ParseError> {
    let range = CopySourceRange::parse(value)?;
    let offset = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Ok(v1::ByteRange {
        start: offset(range.first),
        end: Some(offset(range.last)),
    })
}

/// The one checksum among the headers.
///
/// # Errors
/// [`ParseError::Digest`] for several, for an unknown algorithm and for a malformed value.
pub fn checksum_headers(view: &RequestView<'_>) -> Result<Option<v1::Checksum>, ParseError> {
    const OTHERS: [&str; 3] = [
        "x-amz-checksum-algorithm",
        "x-amz-checksum-mode",
        "x-amz-checksum-type",
    ];
    let mut found: Option<v1::Checksum> = None;
    for (name, value) in view.headers {
        let name = name.as_str();
        if !name.starts_with("x-amz-checksum-") || OTHERS.contains(&name) {
            continue;
        }
        let unknown = || DigestError::UnknownHeader(name.to_owned());
        let algorithm = algorithm_of_header(name).ok_or_else(unknown)?;
        let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default();
        if let Some(first) = &found {
            return Err(match first.algorithm() == contract_algorithm(algorithm) {
                true => DigestError::Repeated {
                    algorithm,
                    value: text.to_owned(),
                },
                false => DigestError::SeveralChecksums,
            }
            .into());
        }
        found = Some(checksum(algorithm, text)?);
    }
    Ok(found)
}

/// Whether an element carries a checksum: `ChecksumCRC32`.
#[must_use]
pub fn is_checksum_element(name: &str) -> bool {
    algorithm_of_element(name).is_some()
}

/// The checksum in an element.
///
/// # Errors
/// [`ParseError::Digest`], [`ParseError::UnknownElement`].
pub fn checksum_element(name: &str, value: &str) -> Result<v1::Checksum, ParseError> {
    let unknown = || ParseError::UnknownElement {
        name: name.to_owned(),
    };
    checksum(algorithm_of_element(name).ok_or_else(unknown)?, value)
}

fn algorithm_of_element(name: &str) -> Option<ChecksumAlgorithm> {
    algorithm_of_name(name.strip_prefix("Checksum")?)
}

/// A value in base64; `-N` behind it tells a composite of N parts.
fn checksum(algorithm: ChecksumAlgorithm, value: &str) -> Result<v1::Checksum, ParseError> {
    let (value, part_count) = match value.trim().rsplit_once('-') {
        None => (value, None),
        Some((value, count)) => {
            let invalid = |_| DigestError::InvalidChecksum { algorithm };
            (value, Some(count.parse::<i32>().map_err(invalid)?))
        }
    };
    let value = ClientChecksum::parse(algorithm, value)?.value;
    let kind = part_count.map_or(v1::ChecksumType::Unspecified, |_| {
        v1::ChecksumType::Composite
    });
    Ok(v1::Checksum {
        algorithm: contract_algorithm(algorithm) as i32,
        value: value.into(),
        r#type: kind as i32,
        part_count: part_count.unwrap_or_default(),
    })
}

/// The contract's name of an algorithm.
#[must_use]
pub fn contract_algorithm(algorithm: ChecksumAlgorithm) -> v1::ChecksumAlgorithm {
    match algorithm {
        ChecksumAlgorithm::Crc32 => v1::ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32c => v1::ChecksumAlgorithm::Crc32c,
        ChecksumAlgorithm::Crc64Nvme => v1::ChecksumAlgorithm::Crc64nvme,
        ChecksumAlgorithm::Sha1 => v1::ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256 => v1::ChecksumAlgorithm::Sha256,
        ChecksumAlgorithm::Sha512 => v1::ChecksumAlgorithm::Sha512,
        ChecksumAlgorithm::Md5 => v1::ChecksumAlgorithm::Md5,
        ChecksumAlgorithm::XxHash64 => v1::ChecksumAlgorithm::Xxhash64,
        ChecksumAlgorithm::XxHash3 => v1::ChecksumAlgorithm::Xxhash3,
        ChecksumAlgorithm::XxHash128 => v1::ChecksumAlgorithm::Xxhash128,
    }
}

/// Checks the root element.
///
/// # Errors
/// [`XmlError::UnexpectedRoot`].
pub fn expect_root(root: &Element, expected: &'static str) -> Result<(), ParseError> {
    if root.name == expected {
        return Ok(());
    }
    Err(XmlError::UnexpectedRoot {
        actual: root.name.clone(),
        expected,
    }
    .into())
}

/// The entries of a list, all of which must have that name.
///
/// # Errors
/// [`ParseError::UnknownElement`].
pub fn items<'a>(list: &'a Element, item: &str) -> Result<&'a [Element], ParseError> {
    match list.children.iter().find(|child| child.name != item) {
        Some(other) => Err(unknown_element(other)),
        None => Ok(&list.children),
    }
}

/// The refusal of an element that S3 knows.
#[must_use]
pub fn unsupported_element(element: &Element) -> ParseError {
    ParseError::UnsupportedElement {
        name: element.name.clone(),
    }
}

/// The refusal of an element.
#[must_use]
pub fn unknown_element(element: &Element) -> ParseError {
    ParseError::UnknownElement {
        name: element.name.clone(),
    }
}
