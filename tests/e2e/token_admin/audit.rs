//! The audit of administrative acts, and lists that need several answers.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    AuditEvent, Bucket, CloneTokenRequest, CorsConfiguration, CorsRule, CreateAccountRequest,
    CreateTokenRequest, Credentials, ListAuditEventsRequest, ListTokenAuditEventsRequest,
    ListTokensRequest, Permission, ResumeTokenRequest, ShowTokenSecretRequest, SuspendTokenRequest,
    Token, UpdateBucketRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Request;
use bucketry_tests::server::ROOT_ACCESS_KEY_ID;
use prost::Message;
use prost_types::FieldMask;

use super::{BUCKET, Scene, of, on_both_engines, reason};
use crate::wire::with_body;

on_both_engines! {
    every_act_is_in_the_audit,
    the_audit_comes_in_pages,
    lists_of_long_rows_come_in_several_answers,
    settings_of_any_size_leave_small_records,
}

async fn every_act_is_in_the_audit(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, credentials) = scene.token(Permission::ReadWrite).await?;
    let id = token.token_id.clone();
    let bucket = BUCKET.to_owned();
    let renamed = Token {
        name: "renamed".to_owned(),
        ..of(&token)
    };
    scene.edit(renamed, &["name"]).await?;
    let tokens = &mut scene.root.tokens;
    tokens
        .show_token_secret(ShowTokenSecretRequest {
            bucket: bucket.clone(),
            token_id: id.clone(),
        })
        .await?;
    tokens
        .suspend_token(SuspendTokenRequest {
            bucket: bucket.clone(),
            token_id: id.clone(),
        })
        .await?;
    tokens
        .resume_token(ResumeTokenRequest {
            bucket: bucket.clone(),
            token_id: id.clone(),
        })
        .await?;
    let cloned = tokens
        .clone_token(CloneTokenRequest {
            bucket: bucket.clone(),
            token_id: id.clone(),
            name: String::new(),
        })
        .await?
        .into_inner();
    scene.revoke(&id).await?;
    scene.purge(BUCKET, &id).await?;
    let account = CreateAccountRequest {
        display_name: "team".to_owned(),
    };
    let account = scene.root.admin.create_account(account).await?.into_inner();
    // By S3, with the account's key: the same record.
    let owner = Credentials {
        access_key_id: account.access_key_id.clone(),
        secret_access_key: account.secret_access_key.clone(),
        ..Credentials::default()
    };
    let of_team = |method: &str, query: &str| Request::new(method, &format!("/of-the-team{query}"));
    assert_eq!(scene.s3(&owner, of_team("PUT", ""))?.status, 200);
    let tags = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    let tagging = with_body(of_team("PUT", "?tagging"), tags);
    assert_eq!(scene.s3(&owner, tagging)?.status, 204);
    let deleted = scene.s3(&owner, of_team("DELETE", ""))?;
    assert_eq!(deleted.status, 204);
    let request_id = deleted
        .find("x-amz-request-id")
        .unwrap_or_default()
        .to_owned();

    let all = scene
        .root
        .admin
        .list_audit_events(ListAuditEventsRequest {
            page_size: 1000,
            ..Default::default()
        })
        .await?
        .into_inner()
        .events;
    let seen: BTreeSet<&str> = all.iter().map(|event| event.action.as_str()).collect();
    for action in [
        "token.create",
        "token.update",
        "token.show_secret",
        "token.suspend",
        "token.resume",
        "token.clone",
        "token.revoke",
        "token.purge",
        "bucket.create",
        "bucket.update",
        "bucket.delete",
        "account.create",
        "account.create_key",
        // By the environment that the server was started with.
        "operator_key.create",
    ] {
        assert!(seen.contains(action), "{action} is missing in {seen:?}");
    }
    let times: Vec<_> = all
        .iter()
        .map(|event| event.time.as_ref().map(|time| (time.seconds, time.nanos)))
        .collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    let deletion = &all[0];
    assert_eq!(
        (
            deletion.action.as_str(),
            deletion.actor.as_str(),
            deletion.client_address.as_str(),
            deletion.request_id.as_str(),
        ),
        (
            "bucket.delete",
            account.access_key_id.as_str(),
            "127.0.0.1",
            request_id.as_str()
        )
    );
    for event in all
        .iter()
        .filter(|event| event.action.starts_with("token."))
    {
        assert_eq!(event.actor, ROOT_ACCESS_KEY_ID);
        assert_eq!(event.client_address, "127.0.0.1");
        assert!(!event.request_id.is_empty() && !event.bucket_id.is_empty());
    }
    let secrets = [
        credentials.secret_access_key,
        cloned.credentials.unwrap_or_default().secret_access_key,
        account.secret_access_key,
    ];
    for event in &all {
        for secret in &secrets {
            assert!(!format!("{event:?}").contains(secret.as_str()));
        }
    }
    Ok(())
}

async fn the_audit_comes_in_pages(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    for number in 0..4 {
        let renamed = Token {
            name: format!("name {number}"),
            ..of(&token)
        };
        scene.edit(renamed, &["name"]).await?;
    }
    let whole = scene.audit(BUCKET, &token.token_id).await?;
    assert_eq!(whole.len(), 5);
    let page = |token_id: &str, page_token: &str| ListTokenAuditEventsRequest {
        bucket: BUCKET.to_owned(),
        token_id: token_id.to_owned(),
        page_size: 2,
        page_token: page_token.to_owned(),
    };
    let (mut joined, mut next) = (Vec::new(), String::new());
    let mut foreign = String::new();
    loop {
        let request = page(&token.token_id, &next);
        let answer = scene.root.tokens.list_token_audit_events(request).await?;
        let answer = answer.into_inner();
        assert!(answer.events.len() <= 2);
        joined.extend(answer.events);
        next = answer.next_page_token;
        if next.is_empty() {
            break;
        }
        foreign.clone_from(&next);
    }
    assert_eq!(joined, whole);
    // A page token is good for its own query.
    let request = page("", &foreign);
    let refused = scene.root.tokens.list_token_audit_events(request).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_PAGE_TOKEN");
    let request = ListAuditEventsRequest {
        page_token: foreign,
        ..Default::default()
    };
    let refused = scene.root.admin.list_audit_events(request).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_PAGE_TOKEN");
    let request = ListTokenAuditEventsRequest::default();
    let refused = scene.root.tokens.list_token_audit_events(request).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");
    Ok(())
}

/// 400 tokens of some 9 KB, and as many records of their making: more than one message of gRPC may have. A client that
/// goes on while there is a page token sees all of them.
async fn lists_of_long_rows_come_in_several_answers(scene: &mut Scene) -> Result<(), HarnessError> {
    const TOKENS: usize = 400;
    const FOUR_MEBIBYTES: usize = 4 << 20;
    let blocks = |first: u16| -> Vec<String> {
        let block = |n| format!("2001:db8:ffff:{:x}:ffff:ffff:ffff:ffff", first + n);
        (0..100).map(block).collect()
    };
    let settings = CreateTokenRequest {
        permission: Permission::ReadOnly.into(),
        allowed_ips: blocks(0x1000),
        disallowed_ips: blocks(0x2000),
        ..Default::default()
    };
    for _ in 0..TOKENS {
        scene.make(settings.clone()).await?;
    }
    let (mut tokens, mut answers, mut page_token) = (0, 0, String::new());
    loop {
        let request = ListTokensRequest {
            bucket: BUCKET.to_owned(),
            page_size: 1000,
            page_token,
        };
        let answer = scene.root.tokens.list_tokens(request).await?.into_inner();
        assert!(answer.encoded_len() < FOUR_MEBIBYTES);
        (tokens, answers) = (tokens + answer.tokens.len(), answers + 1);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((tokens, answers), (TOKENS, 2));
    let (mut events, mut answers, mut page_token) = (0, 0, String::new());
    loop {
        let request = ListAuditEventsRequest {
            page_size: 1000,
            page_token,
        };
        let answer = scene.root.admin.list_audit_events(request).await?;
        let answer = answer.into_inner();
        assert!(answer.encoded_len() < FOUR_MEBIBYTES);
        let made = answer
            .events
            .iter()
            .filter(|event| event.action == "token.create");
        (events, answers) = (events + made.count(), answers + 1);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((events, answers), (TOKENS, 2));
    Ok(())
}

/// The largest configuration that is taken leaves a record of some kilobytes, with a digest of the whole.
async fn settings_of_any_size_leave_small_records(scene: &mut Scene) -> Result<(), HarnessError> {
    let configuration = |headers: usize| Bucket {
        name: BUCKET.to_owned(),
        cors: Some(CorsConfiguration {
            rules: vec![CorsRule {
                allowed_origins: vec!["*".to_owned()],
                allowed_methods: vec!["GET".to_owned()],
                allowed_headers: vec!["h".repeat(9_000); headers],
                ..Default::default()
            }],
        }),
        ..Default::default()
    };
    let request = |headers| UpdateBucketRequest {
        bucket: Some(configuration(headers)),
        update_mask: Some(FieldMask {
            paths: vec!["cors".to_owned()],
        }),
    };
    for _ in 0..2 {
        scene.root.objects.update_bucket(request(7)).await?;
    }
    let refused = scene.root.objects.update_bucket(request(8)).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_REQUEST");
    let events = scene.audit(BUCKET, "").await?;
    let updates = events
        .iter()
        .filter(|event| event.action == "bucket.update");
    let updates: Vec<&AuditEvent> = updates.collect();
    assert_eq!(updates.len(), 2);
    for event in updates {
        assert!(event.details.len() < 8 * 1024, "{}", event.details.len());
        assert!(event.details.contains("\"sha256\""), "{}", event.details);
    }
    Ok(())
}
