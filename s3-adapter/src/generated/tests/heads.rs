use std::collections::BTreeMap;

use bucketry_contract::access_table::AccessClass;
use bucketry_contract::v1;
use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use super::Fixture;
use crate::binding::{BodyKind, ParseError, RouteOutcome};
use crate::error::S3Error;
use crate::generated::{Operation, ParsedRequest, route};

fn parsed(method: Method, request: &Fixture) -> Result<ParsedRequest, ParseError> {
    match route(&method, &request.view()) {
        RouteOutcome::Operation(operation) => ParsedRequest::parse(operation, &request.view()),
        other => panic!("{other:?}"),
    }
}

fn refused(method: Method, request: &Fixture) -> S3Error {
    parsed(method, request).unwrap_err().into()
}

fn put(request: &Fixture) -> v1::PutObjectSpec {
    match parsed(Method::PUT, request) {
        Ok(ParsedRequest::PutObject(spec)) => spec,
        other => panic!("{other:?}"),
    }
}

#[test]
fn put_object_takes_attributes_conditions_and_digests() {
    let request = Fixture::new("/b/a/./k")
        .with("content-type", "text/plain")
        .with("content-encoding", "gzip")
        .with("x-amz-meta-colour", "blau")
        .with("x-amz-tagging", "a=1&b=x%20y+z&c")
        .with("if-none-match", "*")
        .with("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")
        .with("x-amz-checksum-crc32", "AAAAAA==")
        .with("x-amz-sdk-checksum-algorithm", "CRC32");
    let spec = put(&request);
    let attributes = spec.attributes.unwrap();
    assert_eq!((spec.bucket.as_str(), spec.key.as_str()), ("b", "a/./k"));
    assert_eq!(attributes.content_type, "text/plain");
    assert_eq!(attributes.content_encoding, "gzip");
    assert_eq!(
        attributes.metadata.get("colour").map(String::as_str),
        Some("blau")
    );
    let tags = attributes.tagging.unwrap().tags.into_iter();
    let tags: Vec<_> = tags.map(|tag| (tag.key, tag.value)).collect();
    let expected = [("a", "1"), ("b", "x y z"), ("c", "")];
    assert_eq!(
        tags,
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(spec.precondition.unwrap().if_none_match, ["*"]);
    let digests = spec.digests.unwrap();
    assert_eq!(digests.md5.len(), 16);
    assert_eq!(
        digests.checksum.unwrap().algorithm(),
        v1::ChecksumAlgorithm::Crc32
    );
    assert_eq!(spec.checksum_algorithm, v1::ChecksumAlgorithm::Crc32 as i32);
}

#[test]
fn headers_that_an_operation_does_not_take_are_not_implemented() {
    let headers = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-write-offset-bytes", "3"),
        ("x-amz-copy-source-if-match", "e"),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];
    for (name, value) in headers {
        let error = refused(Method::PUT, &Fixture::new("/b/k").with(name, value));
        assert_eq!(
            (error.code(), error.element("Header")),
            ("NotImplemented", Some(name))
        );
    }
    let hoisted = refused(Method::PUT, &Fixture::new("/b/k?X-Amz-Acl=private"));
    assert_eq!(hoisted.code(), "NotImplemented");
    assert_eq!(hoisted.element("Parameter"), Some("X-Amz-Acl"));
}

#[test]
fn headers_that_ask_for_nothing_new_are_taken() {
    let signed = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Expires=1";
    let request = Fixture::new(&format!("/b/k?{signed}"))
        .with("x-amz-acl", "bucket-owner-full-control")
        .with("x-amz-storage-class", "STANDARD")
        .with("x-amz-request-payer", "requester")
        .with("x-amz-date", "20130524T000000Z")
        .with("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .with("amz-sdk-invocation-id", "1");
    assert_eq!(put(&request).key, "k");
}

#[test]
fn what_s3_gives_no_meaning_is_ignored() {
    let plain = Fixture::new("/b/k");
    for hint in [
        "x-amz-te",
        "x-amz-api-version",
        "x-amz-user-agent",
        "x-amzn-trace-id",
        "amz-sdk-request",
        "x-amz-never-heard-of",
        // S3 knows it with other operations only.
        "x-amz-mp-object-size",
    ] {
        let hinted = Fixture::new("/b/k").with(hint, "append-md5");
        assert_eq!(put(&hinted), put(&plain), "{hint}");
        let query = Fixture::new(&format!("/b/k?{hint}=1&never-heard-of"));
        assert_eq!(put(&query), put(&plain), "?{hint}");
    }
}

#[test]
fn values_that_are_named_are_read_in_any_case() {
    let copy = |directive: &str| {
        let request = Fixture::new("/b/k")
            .with("x-amz-copy-source", "b/other")
            .with("x-amz-metadata-directive", directive)
            .with("x-amz-storage-class", "standard")
            .with("x-amz-acl", "Private");
        parsed(Method::PUT, &request).unwrap()
    };
    assert_eq!(copy("replace"), copy("REPLACE"));
    assert_ne!(copy("replace"), copy("Copy"));
    let listed = parsed(Method::GET, &Fixture::new("/b?encoding-type=URL"));
    assert!(listed.is_ok(), "{listed:?}");
}

#[test]
fn headers_that_mean_something_are_refused_unsigned_in_the_query() {
    for name in [
        "X-Amz-Acl",
        "x-amz-meta-a",
        "X-Amz-Server-Side-Encryption",
        "x-amz-expected-bucket-owner",
        "x-amz-checksum-crc32",
        "x-amz-copy-source",
    ] {
        let error = refused(Method::PUT, &Fixture::new(&format!("/b/k?{name}=a")));
        assert_eq!(
            (error.code(), error.element("Parameter")),
            ("NotImplemented", Some(name))
        );
    }
}

/// [`RequestView::refuse_unsupported`](crate::binding::RequestView::refuse_unsupported) looks at no others.
#[test]
fn refused_headers_begin_as_they_are_searched() {
    for operation in Operation::ALL {
        for name in operation.refused_headers() {
            assert!(
                name.starts_with("x-amz-") || name.starts_with("if-"),
                "{operation:?} {name}"
            );
        }
    }
}

#[test]
fn directives_that_s3_does_not_know_are_invalid() {
    for (name, message) in [
        ("x-amz-metadata-directive", "Unknown metadata directive."),
        ("x-amz-tagging-directive", "Unknown tagging directive."),
    ] {
        let request = Fixture::new("/b/k")
            .with("x-amz-copy-source", "s/k")
            .with(name, "foo");
        let error = refused(Method::PUT, &request);
        assert_eq!(
            (error.code(), error.message()),
            ("InvalidArgument", message)
        );
    }
}

#[test]
fn a_value_that_s3_does_not_know_is_invalid() {
    for (name, value, code) in [
        ("x-amz-storage-class", "GLACIER", "NotImplemented"),
        ("x-amz-storage-class", "COLD", "InvalidStorageClass"),
        ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
        ("x-amz-grant-read", "id=1", "AccessControlListNotSupported"),
        ("x-amz-acl", "everybody", "InvalidArgument"),
        ("x-amz-tagging-directive", "KEEP", "InvalidArgument"),
    ] {
        let request = Fixture::new("/b/k")
            .with("x-amz-copy-source", "b/other")
            .with(name, value);
        assert_eq!(
            refused(Method::PUT, &request).code(),
            code,
            "{name}: {value}"
        );
    }
    let mode = Fixture::new("/b/k").with("x-amz-checksum-mode", "DISABLED");
    assert_eq!(refused(Method::GET, &mode).code(), "InvalidArgument");
    let made = refused(
        Method::PUT,
        &Fixture::new("/b").with("x-amz-acl", "public-read"),
    );
    assert_eq!(made.code(), "InvalidBucketAclWithObjectOwnership");
    // S3 has no ACL of a part.
    let part = Fixture::new("/b/k?partNumber=1&uploadId=u").with("x-amz-acl", "public-read");
    assert!(parsed(Method::PUT, &part).is_ok());
    // S3 has no storage class of a read.
    let read = Fixture::new("/b/k").with("x-amz-storage-class", "GLACIER");
    assert!(parsed(Method::GET, &read).is_ok());
}

#[test]
fn numbers_are_strict() {
    for value in ["-1", "x", "1.5", "%2B3", "99999999999"] {
        let error = refused(Method::GET, &Fixture::new(&format!("/b?max-keys={value}")));
        assert_eq!(error.code(), "InvalidArgument", "{value}");
        let name = if value == "-1" { "maxKeys" } else { "max-keys" };
        assert_eq!(error.element("ArgumentName"), Some(name), "{value}");
    }
    for (value, is_taken) in [("0", false), ("10001", false), ("", true), ("10000", true)] {
        let request = Fixture::new(&format!("/b/k?partNumber={value}"));
        assert_eq!(parsed(Method::GET, &request).is_ok(), is_taken, "{value}");
    }
    match parsed(Method::GET, &Fixture::new("/b?max-keys=0&marker=m")) {
        Ok(ParsedRequest::ListObjects(request)) => {
            assert!(request.validate_only);
            assert_eq!(request.start_after, "m");
        }
        other => panic!("{other:?}"),
    }
    let encoding = refused(Method::GET, &Fixture::new("/b?encoding-type=base64"));
    assert_eq!(encoding.code(), "InvalidArgument");
}

#[test]
fn get_object_takes_range_and_conditions() {
    let request = Fixture::new("/b/k?versionId=v")
        .with("range", "bytes=-5")
        .with("if-match", "\"a\", W/\"b\"")
        .with("if-none-match", "W/\"c\"")
        .with("if-modified-since", "never");
    match parsed(Method::GET, &request) {
        Ok(ParsedRequest::GetObject(request)) => {
            assert_eq!(
                request.range,
                Some(v1::ByteRange {
                    start: -5,
                    end: None
                })
            );
            assert_eq!(request.version_id, "v");
            let precondition = request.precondition.unwrap();
            assert_eq!(precondition.if_match, ["a", "W/\"b\""]);
            assert_eq!(precondition.if_none_match, ["c"]);
            assert_eq!(precondition.if_modified_since, None);
        }
        other => panic!("{other:?}"),
    }
    let split = refused(
        Method::GET,
        &Fixture::new("/b/k?response-content-type=a%0D%0Ab"),
    );
    assert_eq!(split.element("ArgumentName"), Some("response-content-type"));
}

#[test]
fn copies_keep_the_conditions_of_source_and_target_apart() {
    let request = Fixture::new("/b/k")
        .with("x-amz-copy-source", "/s/a%20b?versionId=v")
        .with("x-amz-copy-source-if-match", "\"s\"")
        .with("if-none-match", "*")
        .with("x-amz-metadata-directive", "REPLACE");
    match parsed(Method::PUT, &request) {
        Ok(ParsedRequest::CopyObject(copy)) => {
            let source = copy.source.unwrap();
            assert_eq!((source.bucket.as_str(), source.key.as_str()), ("s", "a b"));
            assert_eq!(source.version_id, "v");
            assert_eq!(source.precondition.unwrap().if_match, ["s"]);
            assert_eq!(copy.precondition.unwrap().if_none_match, ["*"]);
            assert_eq!(copy.metadata_directive, v1::CopyDirective::Replace as i32);
        }
        other => panic!("{other:?}"),
    }
    let directive = Fixture::new("/b/k")
        .with("x-amz-copy-source", "s/k")
        .with("x-amz-metadata-directive", "MERGE");
    let error = refused(Method::PUT, &directive);
    assert_eq!(
        error.element("ArgumentName"),
        Some("x-amz-metadata-directive")
    );
}

#[test]
fn digests_are_strict() {
    let codes = [
        ("content-md5", "short", "InvalidDigest"),
        ("x-amz-checksum-sha512", "AAAA", "InvalidRequest"),
        ("x-amz-sdk-checksum-algorithm", "MD4", "InvalidRequest"),
        ("x-amz-checksum-crc32", "AAAA", "InvalidRequest"),
    ];
    for (name, value, code) in codes {
        let error = refused(Method::PUT, &Fixture::new("/b/k").with(name, value));
        assert_eq!(error.code(), code, "{name}");
    }
    let several = Fixture::new("/b/k")
        .with("x-amz-checksum-crc32", "AAAAAA==")
        .with("x-amz-checksum-crc32c", "AAAAAA==");
    assert_eq!(refused(Method::PUT, &several).code(), "InvalidRequest");
}

#[test]
fn actions_are_known_before_the_body() {
    let classes = |method: Method, request: &Fixture| -> Vec<AccessClass> {
        let needed = parsed(method, request).unwrap().actions();
        needed.into_iter().map(|needed| needed.class).collect()
    };
    let put = |name, value| classes(Method::PUT, &Fixture::new("/b/k").with(name, value));
    assert_eq!(put("if-match", "\"e\""), [AccessClass::ReadWrite]);
    assert_eq!(put("if-none-match", "*"), [AccessClass::Write]);
    let tagging = Fixture::new("/b/k?tagging");
    assert_eq!(
        classes(Method::PUT, &tagging),
        [AccessClass::Write, AccessClass::Write]
    );
    assert_eq!(
        classes(Method::DELETE, &tagging),
        [AccessClass::Write, AccessClass::Delete]
    );
    assert_eq!(
        Operation::PutObjectTagging.set_paths(),
        ["attributes.tagging"]
    );
    assert_eq!(
        Operation::DeleteObjectTagging.clear_paths(),
        ["attributes.tagging"]
    );
    assert_eq!(Operation::PutObject.body(), BodyKind::Content);
}

#[test]
fn delete_object_allows_a_missing_one() {
    match parsed(Method::DELETE, &Fixture::new("/b/k")) {
        Ok(ParsedRequest::DeleteObject(request)) => assert!(request.allow_missing),
        other => panic!("{other:?}"),
    }
}

/// The names of all headers that an operation takes, a made-up end for prefixes.
fn header_names(operation: Operation) -> Vec<String> {
    let complete = |name: &&str| {
        name.strip_suffix('*')
            .map(|prefix| format!("{prefix}crc32"))
    };
    let names = operation.headers().iter();
    names
        .map(|name| complete(name).unwrap_or_else(|| (*name).to_owned()))
        .collect()
}

proptest! {
    /// Whatever stands in the headers and parameters of an operation, it is read or refused.
    #[test]
    fn heads_never_panic(
        operation in proptest::sample::select(Operation::ALL.to_vec()),
        headers in proptest::collection::vec((any::<proptest::sample::Index>(), "[ -~\u{80}-\u{ff}]{0,20}"), 0..6),
        parameters in proptest::collection::vec((any::<proptest::sample::Index>(), "[0-9a-zA-Z%.+-]{0,12}"), 0..4),
    ) {
        let names = operation.parameters();
        // Each once: two values of one parameter are refused before.
        let given: BTreeMap<&str, &String> = match names {
            [] => BTreeMap::new(),
            names => parameters.iter().map(|(name, value)| (*name.get(names), value)).collect(),
        };
        let query: Vec<String> =
            given.iter().map(|(name, value)| format!("{name}={}", value.replace('%', "%25"))).collect();
        let mut request = Fixture::new(&format!("/b/k?{}", query.join("&")));
        let known = header_names(operation);
        if !known.is_empty() {
            for (name, value) in &headers {
                let name = HeaderName::from_bytes(name.get(&known).as_bytes()).unwrap();
                request.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        if let Ok(parsed) = ParsedRequest::parse(operation, &request.view()) {
            prop_assert_eq!(parsed.operation(), operation);
            prop_assert!(!parsed.actions().is_empty());
        }
    }
}
