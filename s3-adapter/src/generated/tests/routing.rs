use http::Method;
use proptest::prelude::*;

use super::Fixture;
use crate::binding::RouteOutcome;
use crate::generated::{Operation, SUB_RESOURCES, route};

fn routed(method: &str, path: &str) -> RouteOutcome {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    route(&method, &Fixture::new(path).view())
}

const REQUESTS: [(&str, &str, &str); 53] = [
    ("GET", "/", "ListBuckets"),
    ("PUT", "/b", "CreateBucket"),
    ("HEAD", "/b", "HeadBucket"),
    ("DELETE", "/b/", "DeleteBucket"),
    ("GET", "/b?location", "GetBucketLocation"),
    ("GET", "/b?versioning", "GetBucketVersioning"),
    ("POST", "/b", "PostObject"),
    ("GET", "/b", "ListObjects"),
    ("GET", "/b?prefix=x&delimiter=/", "ListObjects"),
    ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2"),
    ("GET", "/b?versions&key-marker=k", "ListObjectVersions"),
    ("GET", "/b?uploads", "ListMultipartUploads"),
    ("GET", "/b?acl", "GetBucketAcl"),
    ("PUT", "/b?acl", "PutBucketAcl"),
    ("GET", "/b/k?acl&versionId=v", "GetObjectAcl"),
    ("PUT", "/b/k?acl", "PutObjectAcl"),
    ("POST", "/b?delete", "DeleteObjects"),
    ("GET", "/b?tagging", "GetBucketTagging"),
    ("PUT", "/b?tagging", "PutBucketTagging"),
    ("DELETE", "/b?tagging=", "DeleteBucketTagging"),
    ("GET", "/b?cors", "GetBucketCors"),
    ("PUT", "/b?cors", "PutBucketCors"),
    ("DELETE", "/b?cors", "DeleteBucketCors"),
    ("GET", "/b?ownershipControls", "GetBucketOwnershipControls"),
    ("PUT", "/b?ownershipControls", "PutBucketOwnershipControls"),
    (
        "DELETE",
        "/b?ownershipControls",
        "DeleteBucketOwnershipControls",
    ),
    ("GET", "/b?lifecycle", "GetBucketLifecycleConfiguration"),
    ("GET", "/b?encryption", "GetBucketEncryption"),
    ("GET", "/b?object-lock", "GetObjectLockConfiguration"),
    ("GET", "/b?policy", "GetBucketPolicy"),
    ("GET", "/b?policyStatus", "GetBucketPolicyStatus"),
    ("GET", "/b?website", "GetBucketWebsite"),
    ("GET", "/b?replication", "GetBucketReplication"),
    ("GET", "/b?logging", "GetBucketLogging"),
    (
        "GET",
        "/b?notification",
        "GetBucketNotificationConfiguration",
    ),
    ("GET", "/b?accelerate", "GetBucketAccelerateConfiguration"),
    ("GET", "/b?requestPayment", "GetBucketRequestPayment"),
    ("GET", "/b?publicAccessBlock", "GetPublicAccessBlock"),
    ("PUT", "/b/k", "PutObject"),
    ("PUT", "/b/k?x-id=PutObject", "PutObject"),
    ("GET", "/b/k", "GetObject"),
    ("GET", "/b/k?versionId=v&partNumber=2", "GetObject"),
    ("HEAD", "/b/k", "HeadObject"),
    ("DELETE", "/b/k?versionId=v", "DeleteObject"),
    ("POST", "/b/k?uploads", "CreateMultipartUpload"),
    ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
    ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
    ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
    ("GET", "/b/k?uploadId=u", "ListParts"),
    ("GET", "/b/k?attributes&versionId=v", "GetObjectAttributes"),
    ("GET", "/b/k?tagging&versionId=v", "GetObjectTagging"),
    ("PUT", "/b/k?tagging", "PutObjectTagging"),
    ("DELETE", "/b/k?tagging", "DeleteObjectTagging"),
];

#[test]
fn every_operation_is_found_by_its_request() {
    let mut found = Vec::new();
    for (method, path, name) in REQUESTS {
        match routed(method, path) {
            RouteOutcome::Operation(operation) => {
                assert_eq!(operation.name(), name, "{method} {path}");
                found.push(operation);
            }
            other => panic!("{method} {path}: {other:?}"),
        }
    }
    let copies = [
        ("/b/k", Operation::CopyObject),
        ("/b/k?partNumber=1&uploadId=u", Operation::UploadPartCopy),
    ];
    for (path, operation) in copies {
        let request = Fixture::new(path).with("x-amz-copy-source", "b/s");
        let outcome = route(&Method::PUT, &request.view());
        assert_eq!(outcome, RouteOutcome::Operation(operation));
        found.push(operation);
    }
    let never = Operation::ALL
        .into_iter()
        .find(|operation| !found.contains(operation));
    assert_eq!(never, None, "an operation without a request above");
}

#[test]
fn what_s3_knows_and_we_do_not_is_not_implemented() {
    let requests = [
        ("GET", "/b?analytics", "analytics"),
        ("PUT", "/b?lifecycle", "lifecycle"),
        ("DELETE", "/b?policy", "policy"),
        ("GET", "/b/k?lifecycle", "lifecycle"),
        ("PUT", "/b?policy", "policy"),
        ("GET", "/b/k?torrent", "torrent"),
        ("GET", "/b/k?legal-hold", "legal-hold"),
        ("POST", "/b/k?select&select-type=2", "select"),
        ("DELETE", "/b?website", "website"),
        ("PUT", "/b?versioning", "versioning"),
    ];
    for (method, path, name) in requests {
        assert_eq!(
            routed(method, path),
            RouteOutcome::NotImplemented(name),
            "{method} {path}"
        );
    }
}

#[test]
fn a_known_sub_resource_with_another_method_is_not_allowed() {
    let requests = [
        ("POST", "/b?cors"),
        ("PUT", "/b?location"),
        ("PUT", "/b?uploads"),
        ("GET", "/b/k?uploads"),
        ("POST", "/"),
        ("PATCH", "/b/k"),
    ];
    for (method, path) in requests {
        assert_eq!(
            routed(method, path),
            RouteOutcome::MethodNotAllowed,
            "{method} {path}"
        );
    }
}

#[test]
fn a_parameter_that_the_operation_does_not_take_is_unexpected() {
    let requests = [
        ("PUT", "/b/k?versionId=v", "versionId"),
        ("PUT", "/b/k?uploadId=u", "uploadId"),
        ("PUT", "/b/k?partNumber=1", "partNumber"),
        ("GET", "/b?list-type=3", "list-type"),
        ("GET", "/b?tagging&cors", "tagging"),
    ];
    for (method, path, name) in requests {
        assert_eq!(
            routed(method, path),
            RouteOutcome::Unexpected(name),
            "{method} {path}"
        );
    }
}

proptest! {
    /// `?acl` must not become a plain listing, whatever else is asked.
    #[test]
    fn no_sub_resource_is_ever_ignored(
        method in proptest::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]),
        path in proptest::sample::select(vec!["/", "/b", "/b/k"]),
        keys in proptest::sample::subsequence(SUB_RESOURCES.to_vec(), 0..4),
    ) {
        let request = Fixture::new(&format!("{path}?{}", keys.join("&")));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        if let RouteOutcome::Operation(operation) = route(&method, &request.view()) {
            for key in keys {
                prop_assert!(operation.parameters().contains(&key), "{operation:?} ignores {key}");
            }
        }
    }
}
