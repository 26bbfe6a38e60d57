//! Operations and headers that are unknown or not implemented.

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;

use super::{all_refused, put_with};
use crate::wire::{BUCKET, Wire};

#[tokio::test]
async fn unsupported_and_malformed_headers_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let with = |name, value: &str| put_with(&wire, name, value);
    let large = "x".repeat(2049);
    let cases = vec![
        (
            "metadata",
            with("x-amz-meta-a", &large)?,
            400,
            "MetadataTooLarge",
        ),
        (
            "tags twice",
            with("x-amz-tagging", "a=1&a=2")?,
            400,
            "InvalidArgument",
        ),
        (
            "encryption",
            with("x-amz-server-side-encryption", "AES256")?,
            501,
            "NotImplemented",
        ),
        (
            "storage class",
            with("x-amz-storage-class", "GLACIER")?,
            501,
            "NotImplemented",
        ),
        (
            "object lock",
            with("x-amz-object-lock-mode", "GOVERNANCE")?,
            501,
            "NotImplemented",
        ),
        (
            "public",
            with("x-amz-acl", "public-read")?,
            400,
            "AccessControlListNotSupported",
        ),
        (
            "no source",
            with("x-amz-copy-source", "nonsense")?,
            400,
            "InvalidArgument",
        ),
        (
            "another owner",
            with("x-amz-expected-bucket-owner", "1")?,
            403,
            "AccessDenied",
        ),
        (
            "a length for chunks",
            with("x-amz-decoded-content-length", "7")?,
            400,
            "InvalidRequest",
        ),
    ];
    all_refused(&wire, cases).await
}

#[tokio::test]
async fn unsupported_operations_and_malformed_addresses_are_refused() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let ask = |method: &str, target: &str| {
        let host = wire.server.address().to_string();
        wire.signed(
            Request::new(method, target)
                .header("host", &host)
                .header("content-length", "0"),
        )
    };
    let long = format!("/{BUCKET}/{}", "x".repeat(1025));
    let longest = format!("/{}", "b".repeat(64));
    let sub = |name: &str| format!("/{BUCKET}{name}");
    let mut cases = vec![
        (
            "a key over 1,024 bytes",
            ask("PUT", &long)?,
            400,
            "KeyTooLongError",
        ),
        (
            "half an escape",
            ask("PUT", &sub("/%4"))?,
            400,
            "InvalidURI",
        ),
        ("no UTF-8", ask("PUT", &sub("/%ff"))?, 400, "InvalidURI"),
        (
            "a prefix without UTF-8",
            ask("GET", &sub("?prefix=%ff"))?,
            400,
            "InvalidURI",
        ),
        (
            "a version that is none",
            ask("GET", &sub("/k?versionId=v"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a part that is none",
            ask("GET", &sub("/k?partNumber=0"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a page of -1",
            ask("GET", &sub("?max-keys=-1"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a token that is none",
            ask("GET", &sub("?list-type=2&continuation-token=x"))?,
            400,
            "InvalidArgument",
        ),
        (
            "an encoding that is none",
            ask("GET", &sub("?encoding-type=x"))?,
            400,
            "InvalidArgument",
        ),
        (
            "a method that is none",
            ask("PATCH", &sub("/k"))?,
            405,
            "MethodNotAllowed",
        ),
    ];
    for name in [
        "ab",
        "Upper",
        "under_score",
        "192.168.1.1",
        "a..b",
        "-ab",
        "ab-",
        "xn--ab",
        "%20",
        "..",
        &longest[1..],
    ] {
        let what = "a name that is none";
        cases.push((
            what,
            ask("PUT", &format!("/{name}"))?,
            400,
            "InvalidBucketName",
        ));
    }
    for name in [
        "inventory",
        "analytics",
        "intelligent-tiering",
        "metrics",
        "abac",
        "torrent",
        "metadataAnnotationTable",
    ] {
        let what = "a sub-resource of a bucket";
        cases.push((
            what,
            ask("GET", &sub(&format!("?{name}")))?,
            501,
            "NotImplemented",
        ));
    }
    for name in [
        "torrent",
        "annotation",
        "legal-hold",
        "select&select-type=2",
    ] {
        let what = "a sub-resource of an object";
        cases.push((
            what,
            ask("GET", &sub(&format!("/k?{name}")))?,
            501,
            "NotImplemented",
        ));
    }
    all_refused(&wire, cases).await
}
