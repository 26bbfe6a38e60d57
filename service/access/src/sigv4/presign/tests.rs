//! Against URLs that botocore 1.44.5 made of the same inputs (`generate_presigned_url`, path style).

use super::super::scope::AcceptedRegions;
use super::*;
use crate::secret::SecretKey;

const HEAD_OBJECT: &str = "http://localhost:9000/photos/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=6ac76763902c7e7bbddcb5aacd29a0848cc9bf34e52d0f07f4259c4581366b69";

const GET_OBJECT: &str = "https://s3.example.com/photos/a/b%20c%2Bd/%C3%A9~.jpg?response-content-type=image%2Fjpeg&response-content-disposition=attachment%3B%20filename%3D%22x%20y.jpg%22&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=0ed0c2d24d0f15b9f00e45e68d64fb79ef6f92ba6cd8361b79240453c37edf9c";

const PUT_OBJECT: &str = "https://s3.example.com/photos/up/load.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-crc32&X-Amz-Signature=60f7d78c93a9c9a409d00a05ec61600d59d9db741d0eeab023f762ed8dd1d4e7";

const UPLOAD_PART: &str = "http://localhost:9000/photos/%21%2A%27%28%29/%24%26%2C%3B%3D%3A%40?uploadId=u%2F1%3D%2B&partNumber=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=c1cc7327954a481359e8de3e70e7d31b7216494e357e96fb0f55174db9225f23";

fn signed(request: &PresignedRequest<'_>, region: &str, expires_seconds: u32) -> String {
    let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
    let signed_at = AmzDate::parse("20130524T000000Z").unwrap();
    let scope = CredentialScope::own(signed_at, &AcceptedRegions::new(region));
    let by = PresigningKey {
        access_key_id: &"AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
        signing_key: &SigningKey::derive(&secret, &scope),
        scope: &scope,
        signed_at,
        expires_seconds,
    };
    presign(request, &by)
}

/// The path, and the parameters in any order.
fn parts(url: &str) -> (&str, Vec<&str>) {
    let (path, query) = url.split_once('?').unwrap();
    let mut parameters: Vec<&str> = query.split('&').collect();
    parameters.sort_unstable();
    (path, parameters)
}

const HEAD: PresignedRequest<'_> = PresignedRequest {
    method: "HEAD",
    endpoint: "http://localhost:9000",
    bucket: "photos",
    key: "k",
    query: &[],
    headers: &BTreeMap::new(),
};

#[test]
fn a_head_is_what_botocore_signs() {
    assert_eq!(parts(&signed(&HEAD, "eu-central-1", 1)), parts(HEAD_OBJECT));
}

#[test]
fn parameters_of_the_operation_are_signed() {
    let request = PresignedRequest {
        method: "GET",
        endpoint: "https://s3.example.com",
        key: "a/b c+d/é~.jpg",
        query: &[
            ("response-content-type", "image/jpeg".to_owned()),
            (
                "response-content-disposition",
                "attachment; filename=\"x y.jpg\"".to_owned(),
            ),
        ],
        ..HEAD
    };
    assert_eq!(
        parts(&signed(&request, "us-east-1", 900)),
        parts(GET_OBJECT)
    );
    let request = PresignedRequest {
        method: "PUT",
        key: "!*'()/$&,;=:@",
        query: &[
            ("uploadId", "u/1=+".to_owned()),
            ("partNumber", "7".to_owned()),
        ],
        ..HEAD
    };
    assert_eq!(
        parts(&signed(&request, "eu-central-1", 60)),
        parts(UPLOAD_PART)
    );
}

#[test]
fn headers_are_signed() {
    let request = PresignedRequest {
        method: "PUT",
        endpoint: "https://s3.example.com",
        key: "up/load.txt",
        headers: &BTreeMap::from(
            [
                ("content-type", "text/plain; charset=utf-8"),
                ("x-amz-checksum-crc32", "DUoRhQ=="),
                ("content-length", "11"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        ..HEAD
    };
    assert_eq!(
        parts(&signed(&request, "us-east-1", 604_800)),
        parts(PUT_OBJECT)
    );
}

/// A client leaves it out of `Host`.
#[test]
fn the_port_of_the_scheme_is_not_signed() {
    for (with_port, without) in [
        ("https://h:443", "https://h"),
        ("http://h:80", "http://h"),
        ("http://[::1]:80", "http://[::1]"),
    ] {
        let signature = |endpoint| {
            let url = signed(&PresignedRequest { endpoint, ..HEAD }, "auto", 60);
            assert!(url.starts_with(&format!("{endpoint}/photos/k?")), "{url}");
            url.rsplit_once('=').unwrap().1.to_owned()
        };
        assert_eq!(signature(with_port), signature(without));
        assert_ne!(signature("https://h:80"), signature("https://h"));
    }
}

#[test]
fn a_key_that_clients_would_shorten_is_one_segment() {
    for (key, path) in [
        ("a/../b", "a%2F..%2Fb"),
        ("./a", ".%2Fa"),
        ("a/...", "a/..."),
        ("a//b/", "a//b/"),
        ("..a/.b", "..a/.b"),
    ] {
        let url = signed(&PresignedRequest { key, ..HEAD }, "auto", 60);
        let start = format!("http://localhost:9000/photos/{path}?");
        assert!(url.starts_with(&start), "{url}");
    }
}
