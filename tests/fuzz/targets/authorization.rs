//! The `Authorization` header and what it signs.

use super::head::Head;
use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "authorization",
    run: |input| {
        if let Some(head) = Head::parse(input) {
            let _ = head.authenticate();
        }
    },
    seeds,
};

fn seeds() -> Vec<Vec<u8>> {
    const SIGNATURE: &str = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    let head = |first: &str, payload: &str, signed: &str| {
        format!(
            "{first}\nhost: localhost:9000\nx-amz-date: 20130524T000000Z\nx-amz-content-sha256: {payload}\n\
             authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders={signed}, Signature={SIGNATURE}\n"
        )
    };
    let usual = "host;x-amz-content-sha256;x-amz-date";
    let encoded = "accept-encoding;date;host;range;x-amz-content-sha256;x-amz-date;x-amz-meta-a";
    texts(&[
        &head("GET /bucket/key", "UNSIGNED-PAYLOAD", usual),
        &head(
            "PUT /bucket/a%2Fb%20c?partNumber=1&uploadId=x",
            SIGNATURE,
            usual,
        ),
        &head(
            "PUT /bucket/key",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            usual,
        ),
        &head(
            "PUT /bucket/key",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            usual,
        ),
        &(head(
            "GET /b/k?list-type=2&prefix=a+b",
            "UNSIGNED-PAYLOAD",
            encoded,
        ) + "accept-encoding: gzip, br\ndate: Fri, 24 May 2013 00:00:00 GMT\nrange: bytes=0-9\nx-amz-meta-a:  b   c \n"),
        "GET /b/k\nhost: b.localhost\nauthorization: AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=\n",
        "GET /b/k\nhost: localhost\nauthorization: AWS4-ECDSA-P256-SHA256 Credential=a/b/s3/aws4_request\n",
    ])
}
