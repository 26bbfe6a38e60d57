//! From the contract's values to S3's spelling. Nothing means that the header or element is left out.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1;
use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};

use crate::checksum::ChecksumAlgorithm;
use crate::headers::{format_http_date, format_iso8601};
use crate::xml::{XSI_NAMESPACE, XmlWriter};

/// What S3 calls the first region in GetBucketLocation: nothing.
const UNNAMED_REGION: &str = "us-east-1";

/// Text, unless it is empty.
#[must_use]
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    (!value.is_empty()).then_some(Cow::Borrowed(value))
}

/// Text, empty or not.
#[must_use]
pub fn text_always(value: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(value))
}

/// `true`, or nothing.
#[must_use]
pub fn flag(value: bool) -> Option<Cow<'static, str>> {
    value.then_some(Cow::Borrowed("true"))
}

/// `true` or `false`.
#[must_use]
pub fn flag_always(value: bool) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(if value { "true" } else { "false" }))
}

/// A number.
#[must_use]
pub fn int(value: i64) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(value.to_string()))
}

/// A number, unless it is 0.
#[must_use]
pub fn int_if_set(value: i64) -> Option<Cow<'static, str>> {
    (value != 0).then(|| Cow::Owned(value.to_string()))
}

/// A number of items.
#[must_use]
pub fn count(items: usize) -> Option<Cow<'static, str>> {
    Some(Cow::Owned(items.to_string()))
}

/// A number of items, unless there are none.
#[must_use]
pub fn count_if_any(items: usize) -> Option<Cow<'static, str>> {
    (items > 0).then(|| Cow::Owned(items.to_string()))
}

fn moment(time: &Timestamp) -> Option<OffsetDateTime> {
    let seconds = OffsetDateTime::from_unix_timestamp(time.seconds).ok()?;
    seconds.checked_add(Duration::nanoseconds(i64::from(time.nanos)))
}

/// ISO 8601 with milliseconds, as in XML.
#[must_use]
pub fn iso8601(time: &Timestamp) -> Option<Cow<'static, str>> {
    moment(time).map(format_iso8601).map(Cow::Owned)
}

/// An HTTP date, as in headers.
#[must_use]
pub fn http_date(time: &Timestamp) -> Option<Cow<'static, str>> {
    moment(time).map(format_http_date).map(Cow::Owned)
}

/// An ETag in quotes, unless it is empty.
#[must_use]
pub fn etag(value: &str) -> Option<Cow<'static, str>> {
    (!value.is_empty()).then(|| Cow::Owned(format!("\"{value}\"")))
}

/// Bytes in base64, unless there are none.
#[must_use]
pub fn base64(value: &[u8]) -> Option<Cow<'static, str>> {
    (!value.is_empty()).then(|| Cow::Owned(STANDARD.encode(value)))
}

/// A region, or nothing between the tags for us-east-1.
#[must_use]
pub fn location(region: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(if region == UNNAMED_REGION {
        ""
    } else {
        region
    }))
}

/// `bytes first-last/size`.
#[must_use]
pub fn content_range(range: &v1::ContentRange) -> Cow<'static, str> {
    Cow::Owned(format!(
        "bytes {}-{}/{}",
        range.start, range.end, range.size
    ))
}

/// The algorithm and value of a checksum, `-N` behind a composite; nothing without a value.
#[must_use]
pub fn checksum(checksum: &v1::Checksum) -> Option<(ChecksumAlgorithm, String)> {
    let algorithm = match checksum.algorithm() {
        v1::ChecksumAlgorithm::Unspecified => return None,
        v1::ChecksumAlgorithm::Crc32 => ChecksumAlgorithm::Crc32,
        v1::ChecksumAlgorithm::Crc32c => ChecksumAlgorithm::Crc32c,
        v1::ChecksumAlgorithm::Crc64nvme => ChecksumAlgorithm::Crc64Nvme,
        v1::ChecksumAlgorithm::Sha1 => ChecksumAlgorithm::Sha1,
        v1::ChecksumAlgorithm::Sha256 => ChecksumAlgorithm::Sha256,
        v1::ChecksumAlgorithm::Sha512 => ChecksumAlgorithm::Sha512,
        v1::ChecksumAlgorithm::Md5 => ChecksumAlgorithm::Md5,
        v1::ChecksumAlgorithm::Xxhash64 => ChecksumAlgorithm::XxHash64,
        v1::ChecksumAlgorithm::Xxhash3 => ChecksumAlgorithm::XxHash3,
        v1::ChecksumAlgorithm::Xxhash128 => ChecksumAlgorithm::XxHash128,
    };
    if checksum.value.is_empty() {
        return None;
    }
    let mut value = STANDARD.encode(&checksum.value);
    if checksum.part_count > 0 {
        value.push_str(&format!("-{}", checksum.part_count));
    }
    Some((algorithm, value))
}

/// Writes the element of a checksum, as `ChecksumCRC32`.
pub fn checksum_element(xml: &mut XmlWriter, checksum: Option<&v1::Checksum>) {
    if let Some((algorithm, value)) = checksum.and_then(self::checksum) {
        xml.text_element(&format!("Checksum{}", algorithm.wire_name()), &value);
    }
}

/// Writes an element with the checksum and the values that are there; nothing if none is.
pub fn group<const N: usize>(
    xml: &mut XmlWriter,
    name: &'static str,
    checksum: Option<&v1::Checksum>,
    values: [(&str, Option<Cow<'_, str>>); N],
) {
    if checksum.is_none() && values.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    xml.open(name);
    checksum_element(xml, checksum);
    for (name, value) in &values {
        if let Some(value) = value {
            xml.text_element(name, value);
        }
    }
    xml.close();
}

/// Opens an element with an attribute of the namespace `xsi`, if it has a value.
pub fn open_with(
    xml: &mut XmlWriter,
    name: &'static str,
    attribute: &str,
    value: Option<Cow<'_, str>>,
) {
    match value {
        Some(value) => xml.open_with(name, &[("xmlns:xsi", XSI_NAMESPACE), (attribute, &value)]),
        None => xml.open(name),
    }
}
