//! The walk by gRPC: every method of every service, by key and by session, unary and streamed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bucketry_contract::DESCRIPTOR_SET;
use bucketry_contract::access_table::{self, AccessClass};
use bucketry_contract::errors::explain;
use bucketry_contract::v1::{CreateSessionRequest, ErrorReason, Permission};
use bucketry_sign_in::Purpose;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call_stream, channel};
use bucketry_tests::server::ServerOptions;
use bytes::Bytes;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::grpc_rows::{Row, SERVICES};
use super::{
    ALL, BOTH, BUCKET, EVERYBODY, FOREIGN, Facts, Fixture, NONE, READERS, SISTER, STRANGE, WRITERS,
    Who,
};
use crate::separate_adapter::edge_key;
use crate::sign_in::sign_in;

/// What needs no key at all.
pub(crate) const PUBLIC: [&str; 4] = [
    "GetCapabilities",
    "DescribeClientAddress",
    "CreateChallenge",
    "AnswerChallenge",
];

/// What is about no bucket, so that there is no foreign one either.
const OF_NO_BUCKET: [&str; 6] = [
    "GetCapabilities",
    "DescribeClientAddress",
    "CreateChallenge",
    "AnswerChallenge",
    "ListBuckets",
    "CreateSession",
];

/// How an answer is told: `allowed`, or the reason and the code of the refusal.
type Told = (String, Code);

fn allowed() -> Told {
    ("allowed".to_owned(), Code::Ok)
}

fn refused(reason: ErrorReason, code: Code) -> Told {
    (reason.as_str_name().to_owned(), code)
}

fn denied() -> Told {
    refused(ErrorReason::AccessDenied, Code::PermissionDenied)
}

fn told<T>(answer: &Result<T, Status>) -> Told {
    match answer {
        Ok(_) => allowed(),
        Err(status) => {
            let reason = explain(status).map_or_else(
                || format!("no reason: {status:?}"),
                |explained| explained.reason.as_str_name().to_owned(),
            );
            (reason, status.code())
        }
    }
}

pub(crate) fn rows() -> impl Iterator<Item = (&'static str, Row)> {
    SERVICES
        .into_iter()
        .flat_map(|(service, rows)| rows.iter().map(move |row| (service, *row)))
}

/// Everything that is served, published or not.
static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).expect("the descriptor set"));

pub(crate) fn methods() -> Vec<MethodDescriptor> {
    POOL.services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// The messages of a row's call. What is streamed to the server goes on after its first message.
pub(super) fn messages(
    service: &str,
    (method, _, json): (&str, &[Permission], &str),
    facts: &Facts,
    bucket: &str,
) -> Vec<Bytes> {
    let method = methods()
        .into_iter()
        .find(|found| found.name() == method && found.parent_service().full_name() == service)
        .unwrap_or_else(|| panic!("{service} has no {method}"));
    let encode = |json: &str| -> Bytes {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        DynamicMessage::deserialize(method.input(), &mut deserializer)
            .unwrap_or_else(|error| panic!("{json}: {error}"))
            .encode_to_vec()
            .into()
    };
    let mut messages = vec![encode(&facts.fill(json, bucket))];
    if method.is_client_streaming() {
        messages.push(encode(r#"{"chunk": {"data": "Y29udGVudA=="}}"#));
    }
    messages
}

/// How a call proves who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Key,
    Session,
}

/// The bearers of one who walks: none for nobody.
async fn bearers(
    fixture: &mut Fixture,
    who: Who,
) -> Result<Vec<(Proof, Option<Bearer>)>, HarnessError> {
    let Some(credentials) = fixture.credentials(who) else {
        return Ok(vec![(Proof::Key, None)]);
    };
    let key = Bearer::token(credentials)?;
    if who == Who::Suspended {
        return Ok(vec![(Proof::Key, Some(key))]);
    }
    let mut clients = Clients::connect(&fixture.server, key.clone()).await?;
    let session = clients.tokens.create_session(CreateSessionRequest {});
    let session = session.await?.into_inner().session_token;
    Ok(vec![
        (Proof::Key, Some(key)),
        (Proof::Session, Some(Bearer::session(&session)?)),
    ])
}

/// What everybody gets for a signature of no challenge.
fn no_challenge() -> Told {
    refused(ErrorReason::InvalidToken, Code::Unauthenticated)
}

/// The expected answer, from the rows alone.
fn wanted(who: Who, proof: Proof, row: Row) -> Told {
    let (method, may, _) = row;
    match who {
        _ if method == "AnswerChallenge" => no_challenge(),
        // A session does not prolong itself.
        Who::Token(_) if proof == Proof::Session && method == "CreateSession" => {
            refused(ErrorReason::InvalidRequest, Code::InvalidArgument)
        }
        Who::Token(_) if who.may(may) => allowed(),
        Who::Token(_) => denied(),
        // They read no credentials at all.
        Who::Suspended if PUBLIC.contains(&method) => allowed(),
        Who::Suspended => refused(ErrorReason::InvalidAccessKeyId, Code::Unauthenticated),
        Who::Anonymous if PUBLIC.contains(&method) => allowed(),
        Who::Anonymous => refused(ErrorReason::CredentialsRequired, Code::Unauthenticated),
    }
}

/// Walks all rows; gives how many cells there were and what was wrong.
pub(super) async fn walk(fixture: &mut Fixture) -> Result<(usize, Vec<String>), HarnessError> {
    let channel = channel(&fixture.server).await?;
    let mut faults = Vec::new();
    let mut cells = 0;
    for who in EVERYBODY {
        for (proof, bearer) in bearers(fixture, who).await? {
            for (service, row) in rows() {
                let facts = fixture.prepare(row.2).await?;
                let expected = wanted(who, proof, row);
                let refused = expected != allowed();
                let before = match refused {
                    true => Some(fixture.state().await?),
                    false => None,
                };
                let messages = messages(service, row, &facts, BUCKET);
                let answer = send(&channel, bearer.as_ref(), service, row.0, messages).await;
                cells += 1;
                if told(&answer) != expected {
                    let got = told(&answer);
                    faults.push(format!("{who:?} by {proof:?}, {row:?}: {got:?}"));
                }
                if refused && Some(fixture.state().await?) != before {
                    faults.push(format!("{who:?} by {proof:?}, {row:?}: changed something"));
                }
            }
        }
    }
    Ok((cells, faults))
}

pub(super) async fn send(
    channel: &Channel,
    bearer: Option<&Bearer>,
    service: &str,
    method: &str,
    messages: Vec<Bytes>,
) -> Result<Vec<Bytes>, Status> {
    let path = format!("/{service}/{method}");
    call_stream(channel.clone(), bearer, &path, messages).await
}

#[test]
fn every_method_has_a_row() {
    let known: BTreeSet<String> = rows()
        .map(|(service, (method, ..))| format!("{service}.{method}"))
        .collect();
    let served: BTreeSet<String> = methods()
        .iter()
        .map(|method| method.full_name().to_owned())
        .collect();
    assert_eq!(known, served);
}

/// The tokens that a class of the contract lets in, as the rules of tokens have it.
fn holders(class: AccessClass) -> &'static [Permission] {
    match class {
        AccessClass::Public | AccessClass::Authenticated => ALL,
        AccessClass::BucketProbe | AccessClass::CreateBucket => ALL,
        AccessClass::BucketSetting | AccessClass::Read | AccessClass::List => READERS,
        AccessClass::Write | AccessClass::ListParts => WRITERS,
        AccessClass::ReadWrite | AccessClass::Delete | AccessClass::Copy => BOTH,
        AccessClass::BucketAdmin | AccessClass::AccountAdmin => NONE,
        AccessClass::Operator | AccessClass::Edge | AccessClass::Unspecified => NONE,
    }
}

#[test]
fn the_generated_table_says_what_the_rows_say() {
    let mut compared = BTreeSet::new();
    for (service, (method, may, _)) in rows() {
        let access = access_table::of(service, method);
        let access = access.unwrap_or_else(|| panic!("{service}.{method} has no class"));
        assert_eq!(access.service, service);
        // The first row is the plain form, which the class is about.
        if compared.insert((service, method)) {
            assert_eq!(holders(access.class), may, "{service}.{method}");
        }
        let public = access.class == AccessClass::Public;
        assert_eq!(public, PUBLIC.contains(&method), "{service}.{method}");
    }
    assert_eq!(compared.len(), access_table::RPC_ACCESS.len());
    for access in access_table::READ_ACCESS {
        assert_eq!(holders(access.read.class), READERS, "{}", access.path);
    }
    let readable = access_table::READ_ACCESS.iter().map(|access| access.path);
    let readable: BTreeSet<&str> = readable.collect();
    assert_eq!(
        readable,
        BTreeSet::from(["cors", "name", "ownership_controls", "tagging"])
    );
    let tagging = access_table::of_update("UpdateObject", "attributes.tagging").unwrap();
    assert_eq!(holders(tagging.set.class), WRITERS);
    assert_eq!(holders(tagging.clear.class), BOTH);
    for update in access_table::UPDATE_ACCESS {
        if update.rpc != "UpdateObject" {
            let both = [update.set.class, update.clear.class];
            assert!(
                both.map(holders).iter().all(|may| may.is_empty()),
                "{update:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_operator_may_what_no_token_may() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let root = Bearer::root()?;
    let mut faults = Vec::new();
    for (service, row) in rows() {
        let facts = fixture.prepare(row.2).await?;
        let messages = messages(service, row, &facts, BUCKET);
        let answer = send(&channel, Some(&root), service, row.0, messages).await;
        // What is left in the bucket, what is done already, who does not exist, and a claim that names nobody.
        let wanted = match row.0 {
            "DeleteBucket" => ErrorReason::BucketNotEmpty.as_str_name(),
            "RevokeAdminKey" => ErrorReason::NoSuchToken.as_str_name(),
            "AnswerChallenge" => ErrorReason::InvalidToken.as_str_name(),
            // For edge keys alone.
            "Authorize" | "EvaluateCors" => ErrorReason::AccessDenied.as_str_name(),
            "CopyObject" if row.2.contains("<FOREIGN>") => ErrorReason::NoSuchBucket.as_str_name(),
            _ => "allowed",
        };
        if told(&answer).0 != wanted {
            faults.push(format!("{row:?}: {:?}, not {wanted}", told(&answer)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// By key and by session: the adapter's service, what is for everybody, and nothing else.
#[tokio::test]
async fn an_edge_key_may_call_the_adapters_service_and_nothing_else() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let key = edge_key(&mut fixture.root).await?;
    let session = sign_in(&fixture.server, &key, Purpose::Adapter).await;
    let session = session.expect("a session").authorization;
    let bearers = [
        Bearer::key(&key.access_key_id, &key.secret_access_key)?,
        Bearer::session(session.to_str().unwrap().trim_start_matches("Bearer "))?,
    ];
    let mut faults = Vec::new();
    for (service, row) in rows() {
        for bearer in &bearers {
            let facts = fixture.prepare(row.2).await?;
            let before = fixture.state().await?;
            let messages = messages(service, row, &facts, BUCKET);
            let answer = send(&channel, Some(bearer), service, row.0, messages).await;
            let wanted = match row.0 {
                "AnswerChallenge" => no_challenge(),
                // The claim in the row names nobody.
                "Authorize" => refused(ErrorReason::CredentialsRequired, Code::Unauthenticated),
                "EvaluateCors" => allowed(),
                method if PUBLIC.contains(&method) => allowed(),
                _ => denied(),
            };
            if told(&answer) != wanted || fixture.state().await? != before {
                faults.push(format!("{row:?}: {:?}, not {wanted:?}", told(&answer)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Of the buckets of others nobody learns anything, not even whether they are there.
#[tokio::test]
async fn foreign_and_missing_buckets_are_the_same() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let token = fixture.credentials(Who::Token(Permission::ReadWrite));
    let token = Bearer::token(token.ok_or(HarnessError::Incomplete("token"))?)?;
    for (service, row) in rows() {
        if OF_NO_BUCKET.contains(&row.0) {
            continue;
        }
        let facts = fixture.prepare(row.2).await?;
        let mut seen = Vec::new();
        for bucket in [SISTER, STRANGE, FOREIGN] {
            let messages = messages(service, row, &facts, bucket);
            let answer = send(&channel, Some(&token), service, row.0, messages).await;
            assert_eq!(told(&answer), denied(), "{row:?} of {bucket}");
            let status = answer.unwrap_err();
            seen.push((
                status.code(),
                status.message().to_owned(),
                status.details().to_vec(),
            ));
        }
        assert!(seen.iter().all(|one| *one == seen[0]), "{row:?}: {seen:?}");
    }
    Ok(())
}

/// S3 tells accounts, who may make it, that a bucket is missing; of one that is another's they learn the refusal.
#[tokio::test]
async fn an_account_is_denied_what_is_anothers() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    for (service, row) in rows() {
        if OF_NO_BUCKET.contains(&row.0) || row.0 == "CreateBucket" {
            continue;
        }
        let facts = fixture.prepare(row.2).await?;
        let messages = messages(service, row, &facts, SISTER);
        let answer = send(&channel, Some(&fixture.stranger), service, row.0, messages).await;
        assert_eq!(told(&answer), denied(), "{row:?}");
    }
    Ok(())
}

/// Conditions that would reveal an ETag or a generation are not for a write-only token, whatever else is said beside
/// them; some of them nobody may use yet.
#[tokio::test]
async fn conditions_that_reveal_are_refused_to_writers() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let mut bearers = Vec::new();
    for permission in [Permission::WriteOnly, Permission::ReadWrite] {
        let token = fixture.credentials(Who::Token(permission));
        bearers.push(Bearer::token(
            token.ok_or(HarnessError::Incomplete("token"))?,
        )?);
    }
    let put = r#"{"spec": {"bucket": "<BUCKET>", "key": "k", "precondition": <CONDITION>}}"#;
    let complete = r#"{"bucket": "<BUCKET>", "key": "k", "uploadId": "<OVER>",
        "parts": [{"partNumber": 1, "etag": "<PART>"}], "precondition": <CONDITION>}"#;
    for (method, json) in [
        ("PutObject", put),
        ("PutSmallObject", put),
        ("CompleteMultipartUpload", complete),
    ] {
        for condition in [
            r#"{"ifMatch": ["*"]}"#,
            r#"{"ifMatch": ["0"]}"#,
            r#"{"ifNoneMatch": ["0"]}"#,
            r#"{"ifNoneMatch": ["*", "0"]}"#,
            r#"{"ifNoneMatch": ["*"], "ifMatch": ["0"]}"#,
            r#"{"ifGenerationMatch": 7}"#,
            r#"{"ifGenerationMatch": -1}"#,
            r#"{"ifGenerationNotMatch": 0}"#,
            r#"{"ifGenerationNotMatch": 7}"#,
            r#"{"ifGenerationMatch": 0, "ifGenerationNotMatch": 7}"#,
        ] {
            let json = json.replace("<CONDITION>", condition);
            let facts = fixture.prepare(&json).await?;
            let mut seen = Vec::new();
            for bearer in &bearers {
                let service = "bucketry.v1.ObjectService";
                let messages = messages(service, (method, NONE, &json), &facts, BUCKET);
                let answer = send(&channel, Some(bearer), service, method, messages).await;
                seen.push(told(&answer));
            }
            assert_eq!(seen[0], denied(), "{method} {condition}");
            assert_ne!(seen[1], denied(), "{method} {condition}");
        }
    }
    Ok(())
}

/// A token's id is worth nothing beside another bucket: the administrator of another account, who may do all this to
/// the tokens of an own bucket, is told of a token that is there what is told of one that is not.
#[tokio::test]
async fn foreign_tokens_are_not_reached_by_their_ids() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let mut asked = 0;
    for (service, row) in rows().filter(|(_, row)| row.2.contains("<TOKEN>")) {
        let facts = fixture.prepare(row.2).await?;
        for bucket in [STRANGE, "", BUCKET] {
            let mut seen = Vec::new();
            // One bit of an id that is there: another one, which is not.
            let absent = format!("{}0", &fixture.token[..fixture.token.len() - 1]);
            let absent = absent.replace(&fixture.token, "1");
            for token in [fixture.token.clone(), absent] {
                let json = row.2.replace("<TOKEN>", &token);
                let messages = messages(service, (row.0, row.1, &json), &facts, bucket);
                let answer =
                    send(&channel, Some(&fixture.stranger), service, row.0, messages).await;
                seen.push(match answer {
                    Err(status) => {
                        let details =
                            String::from_utf8_lossy(status.details()).replace(&token, "*");
                        let message = status.message().replace(&token, "*");
                        (status.code(), message, details)
                    }
                    // A list that has nothing of the token in it.
                    Ok(shown) => {
                        let nothing = row.0.starts_with("List") && shown.concat().is_empty();
                        assert!(nothing, "{row:?} of {bucket:?}");
                        (Code::Ok, String::new(), String::new())
                    }
                });
                asked += 1;
            }
            assert_eq!(seen[0], seen[1], "{row:?} of {bucket:?}");
        }
    }
    assert!(asked >= 60, "{asked}");
    Ok(())
}

/// Every refusal of every method carries a reason that the contract knows, whatever is wrong.
#[tokio::test]
async fn every_refusal_has_its_reason() -> Result<(), HarnessError> {
    let fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let token = fixture.credentials(Who::Token(Permission::WriteOnly));
    let token = Bearer::token(token.ok_or(HarnessError::Incomplete("token"))?)?;
    let root = Bearer::root()?;
    let wrong = Bearer::key("BKTYAAAAAAAAAAAAAAAA", "nonsense")?;
    let bodies = [
        Bytes::new(),
        // No message of protobuf, and a message with an unknown field.
        Bytes::from_static(b"\xff\xff\xff"),
        Bytes::from_static(b"\xfa\x3f\x01x"),
    ];
    for method in methods() {
        let (service, name) = (
            method.parent_service().full_name().to_owned(),
            method.name(),
        );
        let unclear = method.input().fields().next().is_some();
        for bearer in [None, Some(&token), Some(&root), Some(&wrong)] {
            for body in &bodies {
                let answer = send(&channel, bearer, &service, name, vec![body.clone()]).await;
                if let Err(status) = &answer {
                    assert_ne!(status.code(), Code::Internal, "{name}: {status:?}");
                    assert!(explain(status).is_some(), "{name}: {status:?}");
                }
                let garbage = body.starts_with(b"\xff");
                assert!(!garbage || !unclear || answer.is_err(), "{name}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_method_is_told_so() -> Result<(), HarnessError> {
    let fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let service = "bucketry.v1.ObjectService";
    let answer = send(&channel, None, service, "Nothing", vec![Bytes::new()]).await;
    assert_eq!(
        told(&answer).0,
        ErrorReason::NotImplemented.as_str_name(),
        "{answer:?}"
    );
    Ok(())
}
