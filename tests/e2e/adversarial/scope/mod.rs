//! Permissions and scope: tokens stay in their bucket, and settings are for administrators.
//!
//! Tested elsewhere:
//!
//! - each permission with each operation: `permissions::each_permission_allows_what_the_rules_say`, on both engines
//! - what a write-only token learns: the rows of that walk, and `permissions::blind`
//! - a read-only token on forms, uploads, presigned PUT, copies, tags, deletes: rows of the walk, through every door;
//!   `SelectObjectContent` is not implemented (`bad_input::addresses`)
//! - another bucket, existing or not: `permissions::blind` by S3,
//!   `permissions::grpc::refusals::foreign_and_missing_buckets_are_the_same` by gRPC
//! - ListBuckets, CreateBucket: rows of the walk, `permissions::s3::a_listing_of_buckets_has_the_own_one`
//! - POST policies: `post_form::policies`

mod batches;
mod foreign;
mod settings;

use bucketry_contract::v1::{PutObjectSpec, PutSmallObjectRequest};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use bucketry_tests::http1::Request;
use bytes::Bytes;

use crate::adversarial::raw::digest;
use crate::wire::{BUCKET, Wire, with_body};

const OTHER: &str = "other-wire-test-bucket";

async fn put(root: &mut Clients, bucket: &str, key: &str) -> Result<(), HarnessError> {
    let spec = PutObjectSpec {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = PutSmallObjectRequest {
        spec: Some(spec),
        data: Bytes::from_static(b"content"),
    };
    root.objects.put_small_object(request).await?;
    Ok(())
}

async fn is_there(root: &mut Clients, bucket: &str, key: &str) -> bool {
    let object = bucketry_contract::v1::GetObjectRequest {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        ..Default::default()
    };
    let request = bucketry_contract::v1::HeadObjectRequest {
        object: Some(object),
    };
    root.objects.head_object(request).await.is_ok()
}

fn delete(wire: &Wire, keys: &[&str]) -> Result<Request, HarnessError> {
    let objects: String = keys
        .iter()
        .map(|key| format!("<Object><Key>{key}</Key></Object>"))
        .collect();
    let document = format!("<Delete>{objects}</Delete>");
    let request = Request::new("POST", &format!("/{BUCKET}?delete"))
        .header("host", &wire.server.address().to_string())
        .header("x-amz-checksum-sha256", &digest(document.as_bytes()));
    wire.signed(with_body(request, document.as_bytes()))
}
