//! The walk by gRPC: every method of every service, by key and by session, unary and streamed.

mod administrators;
mod refusals;
mod table;

use std::sync::LazyLock;

use bucketry_contract::DESCRIPTOR_SET;
use bucketry_contract::errors::explain;
use bucketry_contract::v1::{CreateSessionRequest, ErrorReason, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, call_stream, channel};
use bytes::Bytes;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::permissions::grpc_rows::{Row, SERVICES};
use crate::permissions::{BUCKET, EVERYBODY, Facts, Fixture, Who};

/// What needs no key at all.
pub(crate) const PUBLIC: [&str; 4] = [
    "GetCapabilities",
    "DescribeClientAddress",
    "CreateChallenge",
    "AnswerChallenge",
];

/// What is about no bucket, so that there is no foreign one either.
const OF_NO_BUCKET: [&str; 7] = [
    "GetCapabilities",
    "DescribeClientAddress",
    "CreateChallenge",
    "AnswerChallenge",
    "ListBuckets",
    "CreateSession",
    "DescribeCaller",
];

/// An answer as text: `allowed`, or the reason and the code of the refusal.
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
