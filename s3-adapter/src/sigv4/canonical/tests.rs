use super::super::fixture::{EMPTY_SHA256, Fixture};
use super::*;
use proptest::prelude::*;

const SIGNATURE: &str = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

fn request(host: &str, target: &str, extra: &[(&str, &str)], names: &str) -> Fixture {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AK/20130524/us-east-1/s3/aws4_request, SignedHeaders={names}, Signature={SIGNATURE}"
    );
    let mut fixture = Fixture::new("GET", host, target)
        .header("authorization", &authorization)
        .header("x-amz-date", "20130524T000000Z")
        .header("x-amz-content-sha256", EMPTY_SHA256);
    for (name, value) in extra {
        fixture = fixture.header(name, value);
    }
    fixture
}

const NAMES: &str = "host;x-amz-content-sha256;x-amz-date";

fn lines(fixture: &Fixture, at: usize) -> Vec<String> {
    let claim = fixture.claim();
    claim
        .canonical_requests
        .iter()
        .map(|text| text.split('\n').nth(at).unwrap().to_owned())
        .collect()
}

#[test]
fn paths_are_encoded_once_and_never_normalised() {
    let path = |raw: &str| lines(&request("h:1", raw, &[], NAMES), 1);
    assert_eq!(path("/b//a/../c"), ["/b//a/../c"]);
    assert_eq!(path("/b/a%2Fb"), ["/b/a/b", "/b/a%2Fb"]);
    assert_eq!(path("/b/a+b(c)"), ["/b/a%2Bb%28c%29", "/b/a+b(c)"]);
    assert_eq!(path("/b/%7e"), ["/b/~", "/b/%7e"]);
    assert_eq!(path("/"), ["/"]);
}

proptest! {
    #[test]
    fn a_path_that_needs_no_encoding_is_encoded_to_itself(path in "/[ -~]{0,20}") {
        if path.bytes().all(is_kept_in_path) {
            prop_assert_eq!(encode_path(&path, EncodingStrategy::Greedy), path);
        }
    }
}

#[test]
fn every_other_character_of_a_path_is_encoded() {
    for byte in (b' '..=b'~').filter(|byte| !is_kept_in_path(*byte)) {
        let path = char::from(byte).to_string();
        assert_ne!(encode_path(&path, EncodingStrategy::Greedy), path);
    }
}

#[test]
fn queries_are_sorted_and_complete() {
    let query = |raw: &str| lines(&request("h:1", raw, &[], NAMES), 2);
    assert_eq!(
        query("/?b=2&a=%2f&uploads&a-b=1&x=a+b"),
        ["a=%2F&a-b=1&b=2&uploads=&x=a%20b"]
    );
    assert_eq!(query("/?X=1&a=1&a=1"), ["X=1&a=1&a=1"]);
}

#[test]
fn header_values_are_joined_trimmed_and_collapsed() {
    let extra = [
        ("x-amz-meta-a", "b   c  "),
        ("x-amz-meta-a", " d"),
        ("x-amz-meta-b", "\u{e9}"),
    ];
    let names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-b";
    let fixture = request("h:1", "/", &extra, names);
    assert_eq!(lines(&fixture, 6), ["x-amz-meta-a:b c,d"]);
    assert_eq!(lines(&fixture, 7), ["x-amz-meta-b:\u{e9}"]);
    let mut latin1 = request(
        "h:1",
        "/",
        &[("x-amz-meta-a", "x")],
        "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a",
    );
    latin1.headers.insert(
        "x-amz-meta-a",
        http::HeaderValue::from_bytes(b"\xe9").unwrap(),
    );
    assert_eq!(lines(&latin1, 6), ["x-amz-meta-a:\u{e9}"]);
}

#[test]
fn hosts_are_tried_with_and_without_the_default_port() {
    let hosts = |host: &str, scheme| {
        let mut fixture = request(host, "/", &[], NAMES);
        fixture.scheme = scheme;
        lines(&fixture, 3)
    };
    assert_eq!(hosts("h", Scheme::Http), ["host:h", "host:h:80"]);
    assert_eq!(hosts("h:443", Scheme::Https), ["host:h:443", "host:h"]);
    assert_eq!(hosts("h:9000", Scheme::Http), ["host:h:9000"]);
    assert_eq!(
        hosts("[::1]", Scheme::Http),
        ["host:[::1]", "host:[::1]:80"]
    );
    let mut behind_proxy = request("backend:1", "/", &[], NAMES);
    behind_proxy.public_hosts = vec!["s3.example.com".into()];
    assert_eq!(
        lines(&behind_proxy, 3),
        ["host:backend:1", "host:s3.example.com"]
    );
}

#[test]
fn a_signed_accept_encoding_is_tried_as_sdks_send_it() {
    let names = "accept-encoding;host;x-amz-content-sha256;x-amz-date";
    let encodings = |extra: &[(&str, &str)]| lines(&request("h:1", "/", extra, names), 3);
    let rewritten = [
        "accept-encoding:gzip, br",
        "accept-encoding:identity",
        "accept-encoding:gzip",
    ];
    assert_eq!(encodings(&[("accept-encoding", "gzip, br")]), rewritten);
    let plain = ["accept-encoding:identity", "accept-encoding:gzip"];
    assert_eq!(encodings(&[("accept-encoding", "identity")]), plain);
    let removed = [
        "accept-encoding:",
        "accept-encoding:identity",
        "accept-encoding:gzip",
    ];
    assert_eq!(encodings(&[]), removed);
    let unsigned = request("h:1", "/", &[("accept-encoding", "br")], NAMES);
    assert_eq!(unsigned.claim().canonical_requests.len(), 1);
}

#[test]
fn candidates_are_bounded() {
    let mut fixture = request("h", "/b/(", &[], NAMES);
    fixture.public_hosts = (0..50).map(|number| format!("h{number}")).collect();
    // The path in its other spelling comes before the host names.
    assert_eq!(lines(&fixture, 1)[..2], ["/b/%28", "/b/("]);
    assert_eq!(fixture.claim().canonical_requests.len(), MAX_CANDIDATES);
}

/// All that one public name, or none, can bring about is tried.
#[test]
fn no_variation_crowds_out_another() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK/20130524/us-east-1/s3/aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=accept-encoding;host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let mut fixture = Fixture::new("GET", "backend", &format!("/b/(?{query}"))
        .header("accept-encoding", "br")
        .header("x-amz-content-sha256", EMPTY_SHA256);
    fixture.public_hosts = vec!["s3.example.com".into()];
    let has = |at: usize, line: &str| lines(&fixture, at).iter().any(|found| found == line);
    assert!(has(1, "/b/%28") && has(1, "/b/("));
    assert!(has(3, "accept-encoding:identity") && has(3, "accept-encoding:gzip"));
    assert!(has(4, "host:s3.example.com") && has(4, "host:backend:443"));
    assert!(has(7, "UNSIGNED-PAYLOAD") && has(7, EMPTY_SHA256));
}
