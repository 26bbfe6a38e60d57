//! Input that is wrong: the documented refusal, and nothing left behind.

mod addresses;
mod content;
mod documents;

use bucketry_contract::v1::{ListMultipartUploadsRequest, ListObjectsRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::Request;

use crate::wire::{BUCKET, Wire, refusal, refused, with_body};

/// What is sent, and how it is refused.
type Case = (&'static str, Request, u16, &'static str);

/// Sends each request and sees it refused as S3 documents; then sees that the bucket is as empty as it was.
async fn all_refused(wire: &Wire, cases: Vec<Case>) -> Result<(), HarnessError> {
    for (name, request, status, code) in cases {
        let response = wire.send(request)?;
        let expected = refused(status, code);
        assert_eq!(refusal(&response), expected, "{name}: {}", response.text());
    }
    nothing_is_left(wire).await
}

async fn nothing_is_left(wire: &Wire) -> Result<(), HarnessError> {
    let bearer = Bearer::token(&wire.credentials)?;
    let mut objects = Clients::connect(&wire.server, bearer).await?.objects;
    let bucket = BUCKET.to_owned();
    let listed = objects.list_objects(ListObjectsRequest {
        bucket: bucket.clone(),
        ..Default::default()
    });
    assert_eq!(listed.await?.into_inner().objects, []);
    let uploads = objects.list_multipart_uploads(ListMultipartUploadsRequest {
        bucket,
        ..Default::default()
    });
    assert_eq!(uploads.await?.into_inner().uploads, []);
    Ok(())
}

fn put(wire: &Wire) -> Request {
    with_body(wire.request("PUT", "k"), b"content")
}

fn put_with(wire: &Wire, name: &str, value: &str) -> Result<Request, HarnessError> {
    wire.signed(put(wire).header(name, value))
}

fn set(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.retain(|(known, _)| known != name);
    request.header(name, value)
}
