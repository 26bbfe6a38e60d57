//! What is signed here against what the S3 adapter reads and the service verifies.

use std::collections::BTreeMap;

use bucketry_s3_adapter::query::Query;
use bucketry_s3_adapter::sigv4::{
    Authentication, RequestHead, Scheme, SignatureMode, authenticate,
};
use bucketry_s3_adapter::target::{BaseDomains, Target, parse_target};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::access::SecretKey;
use crate::access::sigv4::{
    AcceptedRegions, ScopeClaim, SigV4Error, SignaturePlacement, SignedContent, V4Claim,
};

const ACCESS_KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const ENDPOINT: &str = "http://localhost:9000";
const SIGNED_AT: Timestamp = Timestamp::from_seconds(1_369_353_600);

fn presigner(key_expires: Option<Timestamp>) -> Presigner<'static> {
    let signed_at = AmzDate::at(SIGNED_AT).unwrap();
    let scope = CredentialScope::own(signed_at, &AcceptedRegions::new("eu-central-1"));
    let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
    Presigner {
        endpoint: ENDPOINT,
        bucket: "photos",
        access_key_id: ACCESS_KEY_ID.parse().unwrap(),
        signing_key: Arc::new(SigningKey::derive(&secret, &scope)),
        scope,
        signed_at,
        key_expires,
    }
}

fn spec(operation: PresignedOperation, key: &str) -> PresignedSpec {
    PresignedSpec {
        operation,
        key: crate::domain::ObjectKey::new(key).unwrap(),
        lifetime_seconds: 60,
        query: Vec::new(),
        headers: BTreeMap::new(),
    }
}

/// What a client sends that was given a URL and its headers.
struct Sent {
    method: &'static str,
    path: String,
    query: Query,
    headers: HeaderMap,
}

impl Sent {
    fn of(spec: &PresignedSpec, made: &PresignedUrl) -> Self {
        let target = made.url.strip_prefix(ENDPOINT).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let headers = made.headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).unwrap();
            (name, HeaderValue::try_from(value).unwrap())
        });
        Self {
            method: spec.operation.http_method(),
            path: path.to_owned(),
            query: Query::parse(query).unwrap(),
            headers: headers.collect(),
        }
    }

    /// The target as the adapter reads it, and the verdict at `now`.
    fn judged(&self, now: Timestamp) -> (Target, Result<(), SigV4Error>) {
        let host = "localhost:9000";
        let domains = BaseDomains::new(["localhost"]);
        let addressed = parse_target(host, &self.path, &domains).unwrap();
        let read = authenticate(&RequestHead {
            method: self.method,
            host,
            scheme: Scheme::Http,
            public_hosts: &[],
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            addressed: &addressed,
        });
        let Ok(Authentication::SigV4(read)) = read else {
            panic!("{read:?}");
        };
        let SignatureMode::Presigned { expires_seconds } = read.mode else {
            panic!("{read:?}");
        };
        let credential = self.query.get("X-Amz-Credential").unwrap();
        let parts: Vec<String> = credential.split('/').map(str::to_owned).collect();
        let [access_key_id, date, region, service, terminator] = parts.try_into().unwrap();
        let claim = V4Claim {
            access_key_id: access_key_id.parse().unwrap(),
            scope: ScopeClaim {
                date,
                region,
                service,
                terminator,
            },
            amz_date: read.signed_at.as_str().to_owned(),
            placement: SignaturePlacement::Query {
                expires: expires_seconds.into(),
            },
            signed: SignedContent::CanonicalRequests(read.canonical_requests),
            signature: hex::encode(read.signature),
        };
        let checked = claim.check(&AcceptedRegions::new("eu-central-1"), now);
        let verified = checked.and_then(|checked| checked.verify(&presigner(None).signing_key));
        (addressed.target, verified)
    }
}

#[test]
fn a_url_is_valid_until_the_time_that_is_named() {
    let spec = spec(PresignedOperation::Get, "a/b");
    let made = presigner(None).url(&spec);
    let sent = Sent::of(&spec, &made);
    let end = Timestamp::from_seconds(made.expire_time.unwrap().seconds);
    assert_eq!(end, SIGNED_AT.saturating_add(Duration::from_secs(60)));
    assert!(sent.judged(end).1.is_ok());
    let after = end.saturating_add(Duration::from_secs(1));
    assert!(matches!(
        sent.judged(after).1,
        Err(SigV4Error::Expired { .. })
    ));
}

#[test]
fn no_url_outlasts_its_key() {
    let after = |micros| Timestamp::from_micros(SIGNED_AT.as_micros() + micros);
    for (key_expires, seconds, expires) in [
        (None, 60, after(60_000_000)),
        (Some(after(60_000_001)), 60, after(60_000_000)),
        (Some(after(59_999_999)), 59, after(59_000_000)),
        (Some(after(1_000_000)), 1, after(1_000_000)),
        (Some(after(500_000)), 1, after(500_000)),
    ] {
        let shortened = presigner(key_expires).expiry(60);
        assert_eq!(shortened, (seconds, expires), "{key_expires:?}");
    }
}

#[test]
fn what_is_signed_cannot_be_changed() {
    let spec = PresignedSpec {
        query: vec![("uploadId", "u".to_owned()), ("partNumber", "1".to_owned())],
        headers: BTreeMap::from([("content-length".to_owned(), "11".to_owned())]),
        ..spec(PresignedOperation::UploadPart, "k")
    };
    let made = presigner(None).url(&spec);
    let refused = |change: fn(&mut Sent)| {
        let mut sent = Sent::of(&spec, &made);
        assert_eq!(sent.judged(SIGNED_AT).1, Ok(()));
        change(&mut sent);
        let refused = sent.judged(SIGNED_AT).1;
        assert!(matches!(refused, Err(SigV4Error::SignatureDoesNotMatch(_))));
    };
    refused(|sent| sent.method = "GET");
    refused(|sent| sent.path = "/photos/l".to_owned());
    refused(|sent| sent.headers = HeaderMap::new());
    refused(|sent| {
        let length = HeaderValue::from_static("12");
        sent.headers.insert("content-length", length);
    });
}

fn operations() -> impl Strategy<Value = PresignedOperation> {
    prop_oneof![
        Just(PresignedOperation::Get),
        Just(PresignedOperation::Head),
        Just(PresignedOperation::Put),
        Just(PresignedOperation::UploadPart),
    ]
}

proptest! {
    #[test]
    fn what_is_signed_is_accepted_as_what_it_stands_for(
        operation in operations(),
        key in "[a-z./ ]{1,12}|\\PC{1,40}|[\\x00-\\x7f]{1,20}",
        overrides in prop::option::of("[ -~]{1,30}|[\u{a0}-\u{ff}]{1,10}"),
        content_type in prop::option::of("[!-~]([ -~]{0,20}[!-~])?"),
    ) {
        let spec = PresignedSpec {
            query: overrides
                .map(|value| ("response-content-disposition", value))
                .into_iter()
                .collect(),
            headers: content_type
                .map(|value| ("content-type".to_owned(), value))
                .into_iter()
                .collect(),
            ..spec(operation, &key)
        };
        let made = presigner(None).url(&spec);
        prop_assert!(made.url.parse::<http::Uri>().is_ok(), "{}", made.url);
        let (target, verdict) = Sent::of(&spec, &made).judged(SIGNED_AT);
        prop_assert_eq!(verdict, Ok(()), "{}", made.url);
        prop_assert_eq!(target, Target::Object { bucket: "photos".to_owned(), key });
    }
}
