//! AWS's own signing test suite, which the package `aws-sigv4` ships (Apache-2.0): its canonical requests must be ours.
//!
//! The files are read from the package where Cargo keeps it, so that they are those of the version in use.

use std::path::{Path, PathBuf};
use std::process::Command;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

use super::Scheme;
use super::canonical::{CanonicalParts, RequestHead, candidates};
use super::fixture::hmac_sha256;
use crate::query::Query;
use crate::target::{AddressStyle, Addressed, Target};

/// Cases that are about something else than S3's signatures.
const NOT_S3: [(&str, &str); 4] = [
    (
        "get-header-value-multiline",
        "HTTP/1.1 has no folded headers any more",
    ),
    ("double-encode-path", "S3 encodes the path once"),
    (
        "post-sts-header-after",
        "a session token outside of the signature: S3 signs it, and here it is refused",
    ),
    ("double-url-encode", "S3 encodes the path once"),
];

/// The folder of the suite.
fn suite() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "aws-sigv4");
    let manifest = Path::new(package.unwrap()["manifest_path"].as_str().unwrap());
    manifest.with_file_name("aws-signing-test-suite").join("v4")
}

/// A case in one of its forms: `header` or `query`.
struct Case {
    folder: PathBuf,
    form: &'static str,
}

impl Case {
    fn read(&self, name: &str) -> String {
        let path = self.folder.join(format!("{}-{name}.txt", self.form));
        let text = std::fs::read_to_string(&path);
        text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn context(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.folder.join("context.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Our canonical requests of the signed request, under the signed headers and payload of the suite.
    fn ours(&self) -> Vec<String> {
        let request = self.read("signed-request").replace("\r\n", "\n");
        let head = request.split("\n\n").next().unwrap();
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, rest) = first.split_once(' ').unwrap();
        let target = rest.strip_suffix(" HTTP/1.1").unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::try_from(name).unwrap(), value);
        }
        let expected = self.read("canonical-request");
        let mut from_end = expected.rsplit('\n');
        let payload = from_end.next().unwrap();
        let names: Vec<&str> = from_end.next().unwrap().split(';').collect();
        let query = Query::parse(query).unwrap();
        let head = RequestHead {
            method,
            host: headers["host"].to_str().unwrap(),
            scheme: Scheme::Https,
            public_hosts: &[],
            path,
            query: &query,
            headers: &headers,
            addressed: &Addressed {
                target: Target::Service,
                style: AddressStyle::Path,
            },
        };
        let signed = CanonicalParts {
            headers: &names,
            payload_lines: (payload, None),
        };
        candidates(&head, &signed).unwrap()
    }

    /// The signature of a canonical request, by the rules alone.
    fn signature(&self, canonical_request: &str) -> String {
        let context = self.context();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let date = text(&context["timestamp"]).replace(['-', ':'], "");
        let (region, service) = (text(&context["region"]), text(&context["service"]));
        let scope = format!("{}/{region}/{service}/aws4_request", &date[..8]);
        let digest = hex::encode(Sha256::digest(canonical_request));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}");
        assert_eq!(to_sign, self.read("string-to-sign"));
        let secret = text(&context["credentials"]["secret_access_key"]);
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            key = hmac_sha256(&key, part.as_bytes()).to_vec();
        }
        hex::encode(hmac_sha256(&key, to_sign.as_bytes()))
    }
}

#[test]
fn canonical_requests_are_those_of_the_suite() {
    let mut compared = 0;
    for entry in std::fs::read_dir(suite()).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // S3 alone does not normalise: these cases have twins of the other kind.
        let normalized = name.ends_with("-normalized");
        if normalized || NOT_S3.iter().any(|(known, _)| *known == name) {
            continue;
        }
        for form in ["header", "query"] {
            let folder = folder.clone();
            let case = Case { folder, form };
            let expected = case.read("canonical-request");
            assert_eq!(case.ours()[0], expected, "{name} by {form}");
            assert_eq!(
                case.signature(&expected),
                case.read("signature"),
                "{name} by {form}"
            );
            compared += 1;
        }
    }
    assert!(compared == 58, "{compared} of the suite's cases");
}
