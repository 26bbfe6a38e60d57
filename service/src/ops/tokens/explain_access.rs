use std::net::IpAddr;

use bucketry_contract::v1::{ExplainAccessRequest, ExplainAccessResponse};
use tonic::Request;

use super::admit_token;
use super::needs::needs;
use crate::access::{
    AccessClass, AccessTarget, ClientAddress, Decision, Denial, Explanation, KeyFacts, Subject,
    explain,
};
use crate::catalog::model::{Bucket, BucketState};
use crate::convert::{bucket_name, object_key, reason_to_proto, timestamp_from_proto};
use crate::domain::Timestamp;
use crate::error::Error;
use crate::request::{Requirements, Resource, Service, decide};

/// Decides as enforcement does, with the same requirements and the same evaluator, without performing the operation.
pub(crate) async fn explain_access(
    service: &Service,
    request: Request<ExplainAccessRequest>,
) -> Result<ExplainAccessResponse, Error> {
    let caller = service.caller(&request).await?;
    let asked = request.into_inner();
    let (grant, token) =
        admit_token(service, caller, &asked, &asked.bucket, &asked.token_id).await?;
    let named = match asked.target_bucket.as_str() {
        "" => grant.bucket.name.as_str(),
        named => named,
    };
    let resource = Resource::object(named, &asked.key);
    let requirements = needs(&asked.operation, &asked.fields, resource)?;
    if !asked.key.is_empty() {
        object_key(&asked.key)?;
    }
    let address = address(&asked.client_address)?;
    let circumstances = Circumstances {
        target: target(service, &grant.bucket, &asked.target_bucket).await?,
        service: match grant.bucket.state {
            BucketState::Alive => AccessTarget::Service,
            BucketState::Deleted => AccessTarget::ServiceOfOrphan,
        },
        address,
        now: (asked.time.as_ref()).map_or_else(|| service.now(), timestamp_from_proto),
    };
    let explanation = explanation(
        &KeyFacts::from(token.as_ref()),
        &requirements,
        circumstances,
    );
    Ok(ExplainAccessResponse {
        allowed: explanation.allowed,
        reason: reason_to_proto(explanation.reason).into(),
        rule: explanation.rule,
        client_address: address.ip().map(|ip| ip.to_string()).unwrap_or_default(),
    })
}

/// The circumstances of a hypothetical request.
#[derive(Debug, Clone, Copy)]
struct Circumstances {
    /// The target of an operation on a bucket.
    target: AccessTarget,
    /// The target of an operation on the service.
    service: AccessTarget,
    address: ClientAddress,
    now: Timestamp,
}

impl Circumstances {
    fn target_of(self, resource: Resource<'_>) -> AccessTarget {
        match resource {
            Resource::Service => self.service,
            Resource::Bucket(_) | Resource::Object { .. } => self.target,
        }
    }
}

/// The first denial among all requirements; if there is none, the rule that allows the first.
fn explanation(
    key: &KeyFacts,
    requirements: &Requirements,
    circumstances: Circumstances,
) -> Explanation {
    let subject = Subject {
        key: Some(key),
        address: circumstances.address,
    };
    let decisions: Vec<(Decision, AccessClass)> = requirements
        .iter()
        .map(|needed| {
            let target = circumstances.target_of(needed.resource);
            let decision = decide(subject, needed.class, target, circumstances.now);
            (decision, needed.class)
        })
        .collect();
    let denied = decisions
        .iter()
        .find(|(decision, _)| !decision.is_allowed());
    match denied.or(decisions.first()) {
        Some((decision, class)) => explain(decision, *class),
        // Without a requirement everything would be allowed.
        None => explain(
            &Decision::Deny(Denial::OperatorsOnly),
            AccessClass::Operator,
        ),
    }
}

/// The bucket that the request would name: the token's own if none is given. One that is gone has no name any more.
async fn target(service: &Service, own: &Bucket, named: &str) -> Result<AccessTarget, Error> {
    let of = |bucket: &Bucket| AccessTarget::Bucket {
        bucket: bucket.id,
        account: bucket.account,
    };
    if named.is_empty() {
        return Ok(match own.state {
            BucketState::Alive => of(own),
            BucketState::Deleted => AccessTarget::AbsentBucket,
        });
    }
    let found = service.catalog.bucket_by_name(&bucket_name(named)?).await?;
    Ok(found.as_deref().map_or(AccessTarget::AbsentBucket, of))
}

fn address(text: &str) -> Result<ClientAddress, Error> {
    if text.is_empty() {
        return Ok(ClientAddress::UNKNOWN);
    }
    let address: IpAddr = text.parse().map_err(|_| Error::InvalidArgument {
        field: "client_address",
        problem: format!(
            "{:?} is not an IPv4 or IPv6 address",
            text.chars().take(64).collect::<String>()
        ),
    })?;
    Ok(ClientAddress::known(address))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::*;
    use crate::access::{Caller, Origin};
    use crate::catalog::model::{
        AccessKey, KeyLimits, KeyScope, KeyState, SealCheck, SealedSecret, Stamp,
    };
    use crate::domain::{AccessKeyPk, AccountId, BucketId, Permission};
    use crate::request::judge;

    fn nets() -> impl Strategy<Value = Vec<IpNet>> {
        let some = prop::sample::select(vec![
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.3/32",
            "192.0.2.0/24",
            "2001:db8::/32",
            "::/0",
            "0.0.0.0/0",
        ]);
        prop::collection::vec(some.prop_map(|net| net.parse().unwrap()), 0..3)
    }

    fn address_of_any_kind() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            "",
            "10.1.2.3",
            "10.1.9.9",
            "10.200.0.1",
            "192.0.2.77",
            "::ffff:10.1.2.3",
            "2001:db8::1",
            "fe80::1",
        ])
        .prop_map(str::to_owned)
    }

    prop_compose! {
        fn token()(
            permission in prop::sample::select(Permission::ALL.to_vec()),
            state in prop::sample::select(vec![KeyState::Active, KeyState::Active, KeyState::Suspended, KeyState::Revoked]),
            expires in prop::option::of(0_i64..2_000),
            allowed in nets(),
            disallowed in nets(),
        ) -> AccessKey {
            AccessKey {
                pk: AccessKeyPk(7),
                access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
                scope: KeyScope::Bucket { account: AccountId(1), bucket: BucketId(10), permission },
                name: "n".into(),
                allowed,
                disallowed,
                state,
                expires: expires.map(Timestamp::from_seconds),
                limits: KeyLimits::default(),
                version: 1,
                epoch: 1,
                secret: SealedSecret { kek_id: 1, algorithm: 1, nonce: vec![], sealed: vec![] },
                seal_check: SealCheck::default(),
                created: Stamp { at: Timestamp::EPOCH, by: "root".into() },
                edited: None,
                revoked: None,
            }
        }
    }

    fn target_of_any_kind() -> impl Strategy<Value = AccessTarget> {
        prop::sample::select(vec![
            AccessTarget::Bucket {
                bucket: BucketId(10),
                account: AccountId(1),
            },
            AccessTarget::Bucket {
                bucket: BucketId(11),
                account: AccountId(1),
            },
            AccessTarget::Bucket {
                bucket: BucketId(20),
                account: AccountId(2),
            },
            AccessTarget::AbsentBucket,
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        /// Whatever is asked about, the explanation is what a request of that kind would have met.
        #[test]
        fn agrees_with_enforcement(
            key in token(),
            classes in prop::collection::vec(prop::sample::select(AccessClass::ALL.to_vec()), 1..3),
            resource in prop::sample::select(vec![Resource::Service, Resource::Bucket("photos")]),
            target in target_of_any_kind(),
            text in address_of_any_kind(),
            service in prop::sample::select(vec![AccessTarget::Service, AccessTarget::ServiceOfOrphan]),
            now in 0_i64..2_000,
        ) {
            let facts = KeyFacts::from(&key);
            let address = address(&text).unwrap();
            let now = Timestamp::from_seconds(now);
            let circumstances = Circumstances { target, service, address, now };
            let requirements = Requirements::for_tests("GetObject", classes.clone(), resource);
            let explained = explanation(&facts, &requirements, circumstances);
            let caller = Caller::proven_for_tests(
                Arc::new(facts),
                Origin { address, request_id: "r".into(), operation: "o".into(), user_agent: None },
            );
            let met = judge(&caller, &classes, circumstances.target_of(resource), now);
            prop_assert_eq!(explained.allowed, met.is_ok(), "{:?} {:?}", explained, met);
            prop_assert!(!explained.rule.is_empty());
        }
    }

    #[test]
    fn addresses_are_brought_to_one_form() {
        assert_eq!(address("").unwrap(), ClientAddress::UNKNOWN);
        assert_eq!(address("::ffff:10.1.2.3").unwrap().to_string(), "10.1.2.3");
        for wrong in [
            "10.1.2",
            "localhost",
            "10.0.0.0/8",
            "10.0.0.1:80",
            "fe80::1%eth0",
        ] {
            let refused = address(wrong).unwrap_err().to_string();
            assert!(refused.contains(wrong), "{refused}");
        }
    }
}
