//! Presigned requests, SigV4 and SigV2.

use super::head::Head;
use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "presigned_query",
    run: |input| {
        if let Some(head) = Head::parse(input) {
            let _ = head.authenticate();
        }
    },
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    let v4 = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F\
              aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=\
              aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let v2 = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1369353600&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D";
    texts(&[
        &format!("GET /bucket/key?{v4}\nhost: localhost\n"),
        &format!(
            "PUT /bucket/key?{v4}&x-amz-acl=private&x-id=PutObject\nhost: localhost\nrange: bytes=1-2\n"
        ),
        &format!(
            "GET /key?{v4}&response-content-type=text%2Fplain&versionId=1\nhost: bucket.localhost\n"
        ),
        &format!("GET /bucket/key?{v4}\nhost: localhost\nauthorization: Bearer x\n"),
        &format!("GET /bucket/key?{v2}\nhost: localhost\n"),
        &format!(
            "PUT /bucket/key?Content-Type=text%2Fplain&x-amz-meta-a=b&{v2}\nhost: localhost\n"
        ),
        &format!("GET /bucket/key?{v2}&{v4}\nhost: localhost\n"),
    ])
}
