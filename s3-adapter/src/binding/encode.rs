//! From the contract's values to S3's spelling. Nothing means that the header or element is left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_contract::v1;
use bucketry_domain::ChecksumAlgorithm;
use prost_types::Timestamp;

use crate::binding::Text;
use crate::checksum::element_name;
use crate::dates;
use crate::xml::{ElementTags, XSI_NAMESPACE, XmlWriter};

/// What S3 calls the first region in GetBucketLocation: nothing.
const UNNAMED_REGION: &str = "us-east-1";

/// Text, unless it is empty.
#[must_use]
pub fn text(value: &str) -> Option<Text<'_>> {
    (!value.is_empty()).then_some(Text::Borrowed(value))
}

/// Text, empty or not.
#[must_use]
pub fn text_always(value: &str) -> Option<Text<'_>> {
    Some(Text::Borrowed(value))
}

/// `true`, or nothing.
#[must_use]
pub fn flag(value: bool) -> Option<Text<'static>> {
    value.then_some(Text::Borrowed("true"))
}

/// `true` or `false`.
#[must_use]
pub fn flag_always(value: bool) -> Option<Text<'static>> {
    Some(Text::Borrowed(if value { "true" } else { "false" }))
}

/// A number.
#[must_use]
pub fn int(value: i64) -> Option<Text<'static>> {
    Some(Text::Number(value))
}

/// A number, unless it is 0.
#[must_use]
pub fn int_if_set(value: i64) -> Option<Text<'static>> {
    (value != 0).then_some(Text::Number(value))
}

/// A number of items.
#[must_use]
pub fn count(items: usize) -> Option<Text<'static>> {
    int(i64::try_from(items).unwrap_or(i64::MAX))
}

/// A number of items, unless there are none.
#[must_use]
pub fn count_if_any(items: usize) -> Option<Text<'static>> {
    int_if_set(i64::try_from(items).unwrap_or(i64::MAX))
}

/// About what an item of a listing takes in XML: an object with a key of usual length and its owner takes 400 bytes.
pub const ITEM_BYTES: usize = 384;

/// The last second that the formats can hold: 9999-12-31T23:59:59Z.
const LATEST: i64 = 253_402_300_799;

/// Seconds since 1970, and nanoseconds beyond them. Nothing for a time that no object has: after 9999, or as long before
/// the year 0.
fn moment(time: &Timestamp) -> Option<(i64, u32)> {
    const NANOSECONDS: i32 = 1_000_000_000;
    let seconds = time
        .seconds
        .checked_add(time.nanos.div_euclid(NANOSECONDS).into())?;
    let is_shown = (-LATEST..=LATEST).contains(&seconds);
    is_shown.then_some((seconds, time.nanos.rem_euclid(NANOSECONDS).unsigned_abs()))
}

/// ISO 8601 with milliseconds, as in XML.
#[must_use]
pub fn iso8601(time: &Timestamp) -> Option<Text<'static>> {
    moment(time).map(|(seconds, nanoseconds)| Text::Date(dates::iso8601(seconds, nanoseconds)))
}

/// An HTTP date, as in headers.
#[must_use]
pub fn http_date(time: &Timestamp) -> Option<Text<'static>> {
    moment(time).map(|(seconds, _)| Text::Date(dates::http_date(seconds)))
}

/// An ETag in quotes, unless it is empty.
#[must_use]
pub fn etag(value: &str) -> Option<Text<'_>> {
    (!value.is_empty()).then_some(Text::Quoted(value))
}

/// Bytes in base64, unless there are none.
#[must_use]
pub fn base64(value: &[u8]) -> Option<Text<'static>> {
    (!value.is_empty()).then(|| Text::Owned(STANDARD.encode(value)))
}

/// A region, or nothing between the tags for us-east-1.
#[must_use]
pub fn location(region: &str) -> Option<Text<'_>> {
    Some(Text::Borrowed(if region == UNNAMED_REGION {
        ""
    } else {
        region
    }))
}

/// `bytes first-last/size`.
#[must_use]
pub fn content_range(range: &v1::ContentRange) -> Text<'static> {
    Text::Owned(format!(
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
        value.push('-');
        value.push_str(&checksum.part_count.to_string());
    }
    Some((algorithm, value))
}

/// Writes an element, if its value is there.
pub fn element(xml: &mut XmlWriter, tag: ElementTags, value: Option<Text<'_>>) {
    if let Some(value) = value {
        xml.tagged(tag, |xml| value.write(xml));
    }
}

/// Writes the element of a checksum, as `ChecksumCRC32`.
pub fn checksum_element(xml: &mut XmlWriter, checksum: Option<&v1::Checksum>) {
    if let Some((algorithm, value)) = checksum.and_then(self::checksum) {
        xml.text_element(element_name(algorithm), &value);
    }
}

/// Writes an element with the checksum and the values that are there; nothing if none is.
pub fn group<const N: usize>(
    xml: &mut XmlWriter,
    name: &'static str,
    checksum: Option<&v1::Checksum>,
    values: [(ElementTags, Option<Text<'_>>); N],
) {
    if checksum.is_none() && values.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    xml.open(name);
    checksum_element(xml, checksum);
    for (tag, value) in values {
        element(xml, tag, value);
    }
    xml.close();
}

/// Opens an element with an attribute of the namespace `xsi`, if it has a value.
pub fn open_with(
    xml: &mut XmlWriter,
    name: &'static str,
    attribute: &str,
    value: Option<Text<'_>>,
) {
    match value {
        Some(value) => xml.open_with(
            name,
            &[
                ("xmlns:xsi", XSI_NAMESPACE),
                (attribute, &value.into_text()),
            ],
        ),
        None => xml.open(name),
    }
}
