//! Requests and signing for the tests of this module: an independent and short signer.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha1::Sha1;
use sha2::Sha256;

use super::{Authentication, RequestHead, Scheme, SigV4Claim, SignatureError, authenticate};
use crate::query::Query;
use crate::target::{BaseDomains, parse_target};

/// The pair of S3's documentation.
pub(super) const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(super) const EMPTY_SHA256: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[derive(Debug, Clone)]
pub(super) struct Fixture {
    pub(super) method: &'static str,
    pub(super) host: String,
    pub(super) scheme: Scheme,
    pub(super) public_hosts: Vec<String>,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
}

impl Fixture {
    pub(super) fn new(method: &'static str, host: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            host: host.to_owned(),
            scheme: Scheme::Https,
            public_hosts: Vec::new(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers
            .append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    pub(super) fn authenticate(&self) -> Result<Authentication, SignatureError> {
        let query = Query::parse(&self.query).unwrap();
        let domains = BaseDomains::new(["s3.amazonaws.com", "localhost"]);
        let addressed = parse_target(&self.host, &self.path, &domains).unwrap();
        authenticate(&RequestHead {
            method: self.method,
            host: &self.host,
            scheme: self.scheme,
            public_hosts: &self.public_hosts,
            path: &self.path,
            query: &query,
            headers: &self.headers,
            addressed: &addressed,
        })
    }

    pub(super) fn claim(&self) -> SigV4Claim {
        match self.authenticate().unwrap() {
            Authentication::SigV4(claim) => *claim,
            other => panic!("not SigV4: {other:?}"),
        }
    }

    pub(super) fn refused(&self) -> SignatureError {
        self.authenticate().unwrap_err()
    }
}

pub(super) fn signing_key(claim: &SigV4Claim) -> [u8; 32] {
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [
        claim.scope.date.as_str(),
        &claim.scope.region,
        "s3",
        "aws4_request",
    ] {
        key = hmac_sha256(&key, part.as_bytes()).to_vec();
    }
    key.try_into().unwrap()
}

pub(super) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

pub(super) fn hmac_sha1(key: &[u8], data: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// Which of the canonical requests the claimed signature signs.
pub(super) fn signed_candidate(claim: &SigV4Claim) -> Option<usize> {
    let key = signing_key(claim);
    claim.canonical_requests.iter().position(|canonical| {
        hmac_sha256(&key, claim.string_to_sign(canonical).as_bytes()) == claim.signature
    })
}
