//! `x-amz-copy-source`.

use bucketry_s3_adapter::copy_source::CopySource;

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "copy_source",
    run,
    seeds,
};

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(source) = CopySource::parse(text) {
        assert!(!source.bucket.is_empty() && !source.bucket.contains('/'));
        assert!((1..=1024).contains(&source.key.len()));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "/bucket/key",
        "bucket/a%20b%2Fc?versionId=3HL4kqtJvjVBH40Nrjfkd",
        "bucket%2Fkey",
        "bucket/a+b?versionId=null",
        "arn:aws:s3:us-east-1:1:accesspoint/a/object/k",
    ])
}
