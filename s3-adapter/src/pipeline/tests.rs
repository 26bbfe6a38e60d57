mod bodies;
mod cors;
mod operations;
mod refusals;

use bucketry_contract::v1::*;

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
     SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
     Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

const SIGNED: [(&str, &str); 3] = [
    ("authorization", AUTHORIZATION),
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ("x-amz-date", "20130524T000000Z"),
];

fn one_bucket() -> ListBucketsResponse {
    ListBucketsResponse {
        buckets: vec![Bucket {
            name: "b".into(),
            region: "us-east-1".into(),
            ..Bucket::default()
        }],
        owner_id: "owner".into(),
        ..ListBucketsResponse::default()
    }
}
