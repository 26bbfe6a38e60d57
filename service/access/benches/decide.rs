//! The decision on a request, and the signature before it:
//!
//! ```sh
//! cargo bench -p bucketry-access --bench decide
//! ```

#![allow(missing_docs, reason = "`criterion_group!` makes a public function")]

use std::hint::black_box;
use std::net::IpAddr;

use bucketry_access::sigv4::{
    AcceptedRegions, CheckedClaim, ScopeClaim, SignaturePlacement, SignedContent, SigningKey,
    V4Claim,
};
use bucketry_access::{
    AccessClass, AccessTarget, ClientAddress, IpRules, KeyFacts, PolicyVerdict, Question,
    SecretKey, Subject, decide,
};
use bucketry_catalog::model::{KeyLimits, KeyScope, KeyState};
use bucketry_domain::{AccessKeyPk, AccountId, BucketId, Permission, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};

type Failure = Box<dyn std::error::Error>;

const NOW: Timestamp = Timestamp::from_seconds(1_369_353_600);
/// The presigned example of the S3 API reference.
const CANONICAL: &str = "GET\n/test.txt\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE\
    %2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&\
    X-Amz-SignedHeaders=host\nhost:examplebucket.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD";

fn facts() -> Result<KeyFacts, Failure> {
    Ok(KeyFacts {
        pk: AccessKeyPk(7),
        access_key_id: "AKIAIOSFODNN7EXAMPLE".parse()?,
        scope: KeyScope::Bucket {
            account: AccountId(1),
            bucket: BucketId(1),
            permission: Permission::ReadWrite,
        },
        epoch: 1,
        state: KeyState::Active,
        expires_at: None,
        ip_rules: IpRules::parse(&["192.0.2.0/24", "2001:db8::/32"], &["192.0.2.66"])?,
        limits: KeyLimits::default(),
    })
}

fn decision(criterion: &mut Criterion) {
    let Ok(facts) = facts() else { return };
    let question = Question {
        subject: Subject {
            key: Some(&facts),
            address: ClientAddress::known(IpAddr::from([192, 0, 2, 7])),
        },
        class: AccessClass::Read,
        target: AccessTarget::Bucket {
            bucket: BucketId(1),
            account: AccountId(1),
        },
        policy: PolicyVerdict::Silent,
        now: NOW,
    };
    criterion.bench_function("decision on a token with IP rules", |bencher| {
        bencher.iter(|| decide(black_box(&question)));
    });
}

fn claim() -> Result<(CheckedClaim, SigningKey), Failure> {
    let claim = V4Claim {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".parse()?,
        scope: ScopeClaim {
            date: "20130524".to_owned(),
            region: "us-east-1".to_owned(),
            service: "s3".to_owned(),
            terminator: "aws4_request".to_owned(),
        },
        amz_date: "20130524T000000Z".to_owned(),
        placement: SignaturePlacement::Query { expires: 86_400 },
        signed: SignedContent::CanonicalRequests(vec![CANONICAL.to_owned()]),
        signature: "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404".to_owned(),
    };
    let checked = claim.check(&AcceptedRegions::new("us-east-1"), NOW)?;
    let secret = SecretKey::parse("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned())?;
    let key = SigningKey::derive(&secret, checked.scope());
    Ok((checked, key))
}

fn signature(criterion: &mut Criterion) {
    let Ok((claim, key)) = claim() else { return };
    criterion.bench_function("signature under a known signing key", |bencher| {
        bencher.iter(|| black_box(&claim).verify(&key).is_ok());
    });
}

criterion_group!(benches, decision, signature);
criterion_main!(benches);
