//! The `Range` header.

use bucketry_s3_adapter::copy_source::CopySourceRange;
use bucketry_s3_adapter::range::ByteRange;

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "range",
    run,
    seeds,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(range) = ByteRange::parse(text) {
        for size in [0, 1, 2, 10, 5 << 40, u64::MAX] {
            if let Ok(found) = range.resolve(size) {
                assert!(found.first <= found.last && found.last < size);
                assert!((1..=size).contains(&found.length()));
            }
        }
    }
    if let Ok(range) = CopySourceRange::parse(text) {
        assert!(range.first <= range.last);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "bytes=0-9",
        "bytes=5-",
        "bytes=-5",
        "bytes=0-18446744073709551615",
        "Bytes = 1 - 2 ",
        "bytes=0-1,3-4",
        "items=0-1",
    ])
}
