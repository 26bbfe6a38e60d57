//! Presigned URLs made by real clients for a custom endpoint, with the pair of S3's documentation.

use super::fixture::{Fixture, SECRET, hmac_sha1, signed_candidate};
use super::{Authentication, PresignedV2Claim, Scheme, SignatureError};

/// A request to the URL.
fn fixture(method: &'static str, url: &str) -> Fixture {
    let (host, target) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut fixture = Fixture::new(method, host, &format!("/{target}"));
    fixture.scheme = Scheme::Http;
    fixture
}

/// Which of the strings to sign the claimed signature signs.
fn signed_v2(fixture: &Fixture) -> (PresignedV2Claim, Option<usize>) {
    let Ok(Authentication::PresignedV2(claim)) = fixture.authenticate() else {
        panic!("not SigV2: {:?}", fixture.authenticate());
    };
    let strings = &claim.strings_to_sign;
    let signed = strings
        .iter()
        .position(|text| hmac_sha1(SECRET.as_bytes(), text.as_bytes()) == claim.signature);
    (*claim, signed)
}

// aws-sdk for JavaScript 2.1693.0, `getSignedUrl`.
#[test]
fn javascript_version_2() {
    for (method, url) in [
        (
            "GET",
            "http://bucket.localhost:9000/a%20b%2Bc%281%29/%C3%A9?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1795415551&Signature=%2BrnnoQYepix7tBF%2BRZjrqKBu3U0%3D&response-content-type=text%2Fplain%3B%20charset%3Dutf-8&versionId=v%2F1",
        ),
        (
            "PUT",
            "http://bucket.localhost:9000/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Cache-Control=no-cache&Content-MD5=JfnnlDI7RTiF9RgfG2JNCw%3D%3D&Content-Type=text%2Fplain&Expires=1795415551&Signature=6f9OaDAMlGrTdzURlN1J3M2D%2BFo%3D&x-amz-acl=private&x-amz-meta-foo=bar%20baz&x-amz-server-side-encryption=AES256",
        ),
        (
            "GET",
            "http://localhost:9000/bucket/a%20b%2Bc%281%29/%C3%A9?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1795415551&Signature=JOh2oPKqRL7q85QPe%2BAWyOeSpvQ%3D",
        ),
        (
            "PUT",
            "http://localhost:9000/bucket/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1795415551&Signature=cR%2B3IUYUNMppT5zaHzBlDUa63ZY%3D&partNumber=3&uploadId=u-1",
        ),
        (
            "HEAD",
            "http://localhost:9000/bucket/k?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1795415561&Signature=%2B1dAn0s5vduKZkskJ11fzagnqGU%3D",
        ),
    ] {
        assert!(signed_v2(&fixture(method, url)).1.is_some(), "{url}");
    }
}

#[test]
fn a_javascript_version_2_listing_is_refused_because_its_prefix_is_not_signed() {
    let url = "http://localhost:9000/bucket?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1795415561&Signature=MuXZ1s%2F0%2Fttmp%2Ff75dELxl7MjEc%3D&list-type=2&prefix=k";
    let refused = fixture("GET", url).refused();
    assert_eq!(
        refused,
        SignatureError::UnsignedParameter("list-type".into())
    );
}

// botocore 1.43.11 with `signature_version="s3"`.
#[test]
fn botocore_version_2() {
    let put = "http://localhost:9000/bucket/a%20b%2Bc%281%29/%C3%A9?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=46uGnBac6hvC0m%2BICos5I0g1FfU%3D&content-type=text%2Fplain&x-amz-acl=private&x-amz-meta-foo=bar%20%20baz&Expires=1795418251";
    let (claim, _) = signed_v2(&fixture("PUT", put));
    assert_eq!(claim.hoisted_headers["x-amz-acl"], "private");
    let get = "http://localhost:9000/bucket/a%20b%2Bc%281%29/%C3%A9?versionId=v%2F1&response-content-type=text%2Fplain&AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=2y7%2FkGsRvbi0HeDZCuvyp9jKRNc%3D&Expires=1795418251";
    for (method, url) in [("PUT", put), ("GET", get)] {
        assert!(signed_v2(&fixture(method, url)).1.is_some(), "{url}");
    }
}

// botocore 1.43.11 with `signature_version="s3v4"`.
#[test]
fn botocore_version_4() {
    let put = "http://localhost:9000/bucket/a%20b%2Bc%281%29/%C3%A9?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T061731Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl%3Bx-amz-meta-foo&X-Amz-Signature=3eb5d7aa3e04b1fe1c1eebf3aa8a32d6f72c6847f1ab80570e2ba49ac7271fff";
    let sent = fixture("PUT", put)
        .header("content-type", "text/plain")
        .header("x-amz-acl", "private")
        .header("x-amz-meta-foo", "bar  baz");
    assert_eq!(signed_candidate(&sent.claim()), Some(0));
    let get = "http://localhost:9000/bucket/a%20b%2Bc%281%29/%C3%A9?versionId=v%2F1&response-content-type=text%2Fplain&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T061731Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=7b28579435cc0d22501eb9b102ca651c30b481e2e2b74fbd37bf14ae857d1471";
    assert_eq!(signed_candidate(&fixture("GET", get).claim()), Some(0));
}
