//! What operators, account administrators and edge keys may call.

use bucketry_contract::v1::ErrorReason;
use bucketry_sign_in::Purpose;
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, channel};
use bucketry_tests::server::ServerOptions;
use tonic::Code;

use super::{
    OF_NO_BUCKET, PUBLIC, allowed, denied, messages, no_challenge, refused, rows, send, told,
};
use crate::permissions::{BUCKET, Fixture, SISTER};
use crate::separate_adapter::edge_key;
use crate::sign_in::sign_in;

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
        let wanted = match row.0 {
            // Keys of other accounts and keys that do not exist are the same to an account.
            "RevokeAdminKey" => refused(ErrorReason::NoSuchToken, Code::NotFound),
            _ => denied(),
        };
        assert_eq!(told(&answer), wanted, "{row:?}");
    }
    Ok(())
}
