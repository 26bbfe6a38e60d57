//! What the errors of refused calls reveal.

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{ErrorReason, Permission};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, channel};
use bucketry_tests::server::ServerOptions;
use bytes::Bytes;
use tonic::Code;

use super::{OF_NO_BUCKET, denied, messages, methods, rows, send, told};
use crate::permissions::{BUCKET, FOREIGN, Fixture, NONE, SISTER, STRANGE, Who};

/// An error does not reveal whether a bucket of another account exists.
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

/// A write-only token may not use conditions that would reveal an ETag or a generation, alone or together with others.
/// Some of these conditions are not supported yet.
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

/// The id of a token gives no access to it through another bucket: the administrator of another account gets the same
/// answer for a token that exists as for one that does not.
#[tokio::test]
async fn foreign_tokens_are_not_reached_by_their_ids() -> Result<(), HarnessError> {
    let mut fixture = Fixture::start(ServerOptions::new()).await?;
    let channel = channel(&fixture.server).await?;
    let mut asked = 0;
    for (service, row) in rows().filter(|(_, row)| row.2.contains("<TOKEN>")) {
        let facts = fixture.prepare(row.2).await?;
        for bucket in [STRANGE, "", BUCKET] {
            let mut seen = Vec::new();
            // An id that differs in its last digit, and does not exist.
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
                    // A list without the token.
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

/// Every refusal of every method has a reason of the contract.
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
        // Not a protobuf message, and a message with an unknown field.
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
