//! Routing and the typed reading of a head, whoever signed it.

use bucketry_s3_adapter::binding::{RequestView, RouteOutcome};
use bucketry_s3_adapter::generated::{ParsedRequest, route};

use super::head::Head;
use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "request",
    run,
    seeds,
};

fn run(input: &[u8]) {
    let Some(head) = Head::parse(input) else {
        return;
    };
    let view = RequestView {
        target: &head.addressed.target,
        query: &head.query,
        headers: &head.headers,
    };
    let RouteOutcome::Operation(operation) = route(&head.method, &view) else {
        return;
    };
    if let Ok(parsed) = ParsedRequest::parse(operation, &view) {
        assert_eq!(parsed.operation(), operation);
        assert!(
            !parsed.actions().is_empty(),
            "{operation:?} asks for nothing"
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "GET /\nhost: localhost\n",
        "GET /bucket?list-type=2&max-keys=10&prefix=a%2F&delimiter=%2F&start-after=b&fetch-owner=true&encoding-type=url\n",
        "GET /bucket?uploads&key-marker=a&upload-id-marker=b\n",
        "PUT /bucket/key?partNumber=10000&uploadId=u\nx-amz-checksum-crc32: AAAAAA==\n",
        "PUT /bucket/key?partNumber=1&uploadId=u\nx-amz-copy-source: /bucket/other\nx-amz-copy-source-range: bytes=0-9\n",
        "PUT /bucket/key\nx-amz-copy-source: bucket/a%20b?versionId=3\nx-amz-metadata-directive: REPLACE\n",
        "PUT /bucket/key\nif-none-match: *\nx-amz-tagging: a=b&c=d\nx-amz-meta-a: b\ncontent-type: text/plain\n",
        "POST /bucket/key?uploads\nx-amz-checksum-algorithm: CRC64NVME\nx-amz-checksum-type: FULL_OBJECT\n",
        "GET /bucket/key?partNumber=2\nrange: bytes=0-9\nif-modified-since: Fri, 24 May 2013 00:00:00 GMT\n",
        "GET /bucket/key?attributes\nx-amz-object-attributes: ETag,Checksum,ObjectParts\nx-amz-max-parts: 3\n",
        "DELETE /bucket/key?tagging\n",
        "POST /bucket?delete\ncontent-md5: AAAA\n",
        "PUT /bucket?cors\n",
        "HEAD /bucket\nhost: bucket.localhost\n",
    ])
}
