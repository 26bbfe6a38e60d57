//! Expressions that decode one value of a request.

use crate::codec::Codec;
use crate::enums::value_of;

/// An expression of a `Result` with the value.
pub(super) fn decoded(
    codec: &Codec,
    source: &str,
    value: &str,
    min: Option<i64>,
    max: Option<i64>,
) -> String {
    let plain = |name: &str| format!("decode::{name}({source}, {value})");
    let bound = |bound: Option<i64>, otherwise: &str| {
        bound.map_or(otherwise.to_owned(), |bound| bound.to_string())
    };
    match codec {
        Codec::Text => plain("text"),
        Codec::Bool => plain("flag"),
        Codec::Int32 => format!(
            "decode::int32({source}, {value}, {}, {})",
            bound(min, "i32::MIN"),
            bound(max, "i32::MAX")
        ),
        Codec::Int64 => format!(
            "decode::int64({source}, {value}, {}, {})",
            bound(min, "i64::MIN"),
            bound(max, "i64::MAX")
        ),
        Codec::Time => plain("time"),
        Codec::Enum(name) => format!("decode::choice({source}, {value}, {})", value_of(name)),
        Codec::Etag => plain("etag"),
        Codec::EtagList => plain("etag_list"),
        Codec::Base64 => plain("base64"),
        Codec::TagQuery => plain("tag_query"),
        Codec::Range => plain("range"),
        Codec::CopySource => plain("copy_source"),
        Codec::CopyRange => plain("copy_range"),
        Codec::Zero => plain("is_zero"),
        // Checksums and metadata are bound by name, comma lists item by item: see `request_head`. The others are refused.
        Codec::Checksum
        | Codec::Metadata
        | Codec::ContentRange
        | Codec::Location
        | Codec::CommaList(_) => plain("text"),
    }
}
