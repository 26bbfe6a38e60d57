//! The walk by S3: every operation, through every door.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::script::repository;
use bucketry_tests::server::ServerOptions;
use sha2::{Digest, Sha256};

use super::doors::{Door, doors};
use super::s3_rows::{BUCKETS, NOT_THERE, READS, Row, WRITES};
use super::{BUCKET, EVERYBODY, Facts, Fixture, Who};
use crate::wire::{signer, with_body};

pub(super) fn rows() -> impl Iterator<Item = Row> {
    [READS, WRITES, BUCKETS].into_iter().flatten().copied()
}

impl Row {
    /// All that may speak of something that is to be prepared.
    pub(super) fn text(&self) -> String {
        let values = self.headers.iter().map(|(_, value)| *value);
        let parts = [self.target, self.body].into_iter().chain(values);
        parts.collect::<Vec<_>>().join(" ")
    }

    /// The request, about this bucket, with no signature yet.
    pub(super) fn request(&self, fixture: &Fixture, facts: &Facts, bucket: &str) -> Request {
        let body = facts.fill(self.body, bucket);
        let digest = STANDARD.encode(Sha256::digest(&body));
        let mut request = Request::new(self.method, &facts.fill(self.target, bucket))
            .header("host", &fixture.edge.to_string());
        for (name, value) in self.headers {
            let value = facts.fill(value, bucket).replace("<SHA256>", &digest);
            request = request.header(name, &value);
        }
        match self.method {
            "PUT" | "POST" => with_body(request, body.as_bytes()),
            _ => request,
        }
    }
}

/// Sends a request through a door as one of those who walk.
pub(super) fn send(
    fixture: &Fixture,
    who: Who,
    door: Door,
    request: Request,
) -> Result<Response, HarnessError> {
    let signer = fixture.credentials(who).map(signer);
    let request = door.signed(signer.as_ref(), request)?;
    exchange(fixture.edge, request)
}

/// Status and code; a HEAD has no body to tell a code in, nor has a success.
fn told(response: &Response, method: &str) -> (u16, String) {
    let code = match method {
        "HEAD" => String::new(),
        _ => response.element("Code").unwrap_or_default(),
    };
    (response.status, code)
}

/// The expected answer, from the rows and the door alone.
fn wanted(who: Who, door: Door, row: &Row, request: &Request) -> (u16, &'static str) {
    let code = |code| if row.method == "HEAD" { "" } else { code };
    if who != Who::Anonymous
        && let Some((status, own)) = door.own_refusal(request)
    {
        return (status, code(own));
    }
    match who {
        // Told before it is asked who asks: it is the same for all.
        _ if NOT_THERE
            .iter()
            .any(|absent| absent.operation == row.operation) =>
        {
            (501, code("NotImplemented"))
        }
        Who::Token(_) if who.may(row.may) => (row.status, code(of_status(row))),
        Who::Token(_) | Who::Anonymous => (403, code("AccessDenied")),
        Who::Suspended => (403, code("InvalidAccessKeyId")),
    }
}

/// The code of an answer that a row expects for those who may.
fn of_status(row: &Row) -> &'static str {
    match row.status {
        404 => match row.operation {
            "GetBucketLifecycleConfiguration" => "NoSuchLifecycleConfiguration",
            "GetBucketEncryption" => "ServerSideEncryptionConfigurationNotFoundError",
            "GetObjectLockConfiguration" => "ObjectLockConfigurationNotFoundError",
            _ => "NoSuchKey",
        },
        400 if row.headers.iter().any(|(name, _)| is_acl(name)) => "AccessControlListNotSupported",
        412 => "PreconditionFailed",
        501 => "NotImplemented",
        _ => "",
    }
}

fn is_acl(header: &str) -> bool {
    header == "x-amz-acl" || header.starts_with("x-amz-grant-")
}

/// Walks all rows; gives how many cells there were and what was wrong.
pub(super) async fn walk(fixture: &mut Fixture) -> Result<(usize, Vec<String>), HarnessError> {
    let mut faults = Vec::new();
    let mut cells = 0;
    for row in rows().chain(NOT_THERE.iter().copied()) {
        for who in EVERYBODY {
            for &door in doors(row.operation) {
                // Without credentials there are no doors to tell apart, but for the form.
                if who == Who::Anonymous && !matches!(door, Door::Header | Door::Form) {
                    continue;
                }
                cells += 1;
                faults.extend(cell(fixture, row, who, door).await?);
            }
        }
    }
    Ok((cells, faults))
}

async fn cell(
    fixture: &mut Fixture,
    row: Row,
    who: Who,
    door: Door,
) -> Result<Option<String>, HarnessError> {
    let facts = fixture.prepare(&row.text()).await?;
    let request = row.request(fixture, &facts, BUCKET);
    let (status, code) = wanted(who, door, &row, &request);
    let before = match status {
        400.. => Some(fixture.state().await?),
        _ => None,
    };
    let response = send(fixture, who, door, request)?;
    let got = told(&response, row.method);
    let place = format!(
        "{who:?} by {door:?}, {} {} {:?}",
        row.method, row.target, row.headers
    );
    if got != (status, code.to_owned()) {
        return Ok(Some(format!("{place}: {got:?}, not {:?}", (status, code))));
    }
    let changed = before.is_some() && before != Some(fixture.state().await?);
    Ok(changed.then(|| format!("{place}: changed something")))
}

/// The operations of the generated table: a new one needs a row.
#[test]
fn every_operation_has_a_row() {
    let path = repository().join("s3-adapter/generator/golden/s3-api.json");
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let there: BTreeSet<&str> = golden["operations"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|operation| operation["operation"].as_str())
        .collect();
    let known: BTreeSet<&str> = rows().map(|row| row.operation).collect();
    assert_eq!(known, there);
    let absent = NOT_THERE.iter().find(|row| there.contains(row.operation));
    assert!(absent.is_none(), "it is there now: {absent:?}");
}

/// A token sees its own bucket, and nothing of who else has one.
#[tokio::test]
async fn a_listing_of_buckets_has_the_own_one() -> Result<(), HarnessError> {
    let fixture = Fixture::start(ServerOptions::new()).await?;
    for permission in super::ALL {
        for &door in doors("ListBuckets") {
            let request = Request::new("GET", "/").header("host", &fixture.edge.to_string());
            let listed = send(&fixture, Who::Token(*permission), door, request)?.text();
            let names: Vec<&str> = listed
                .split("<Name>")
                .skip(1)
                .filter_map(|rest| rest.split("</Name>").next())
                .collect();
            assert_eq!(names, [BUCKET], "{permission:?} by {door:?}");
        }
    }
    Ok(())
}
