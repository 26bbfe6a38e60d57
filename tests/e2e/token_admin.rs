//! What administrators do with tokens besides using them: edits of expiry and limits, tokens whose bucket is gone,
//! purging, the audit, and explanations that agree with what requests meet. On SQLite and on PostgreSQL.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::{
    AuditEvent, Bucket, CloneTokenRequest, CorsConfiguration, CorsRule, CreateAccountRequest,
    CreateSessionRequest, CreateTokenRequest, Credentials, DecisionReason, DeleteBucketRequest,
    ExplainAccessRequest, ExplainAccessResponse, GetTokenRequest, ListAuditEventsRequest,
    ListBucketsRequest, ListTokenAuditEventsRequest, ListTokensRequest, Permission,
    PurgeTokenRequest, ResumeTokenRequest, RevokeTokenRequest, ShowTokenSecretRequest,
    SuspendTokenRequest, Token, TokenLimits, TokenState, UpdateBucketRequest, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::http1::{Request, Response, exchange};
use bucketry_tests::postgres;
use bucketry_tests::server::{ROOT_ACCESS_KEY_ID, Server, ServerOptions};
use bucketry_tests::sigv4::Payload;
use prost::Message;
use prost_types::{FieldMask, Timestamp};
use tonic::Status;

use crate::wire::{signer, with_body};

const BUCKET: &str = "token-admin-bucket";
const OTHER_BUCKET: &str = "token-admin-other-bucket";

/// Makes of each case a test per engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                super::$case(&mut Scene::start(ServerOptions::new()).await?).await
            })*
        }

        mod on_postgres {
            use super::*;
            $(#[tokio::test]
            async fn $case() -> Result<(), HarnessError> {
                let url = postgres::create_database().await?;
                super::$case(&mut Scene::start(ServerOptions::new().database_url(&url)).await?).await
            })*
        }
    };
}

on_both_engines! {
    expiry_and_limits_are_edited,
    edits_that_change_nothing_leave_no_trace,
    edits_at_the_same_time_leave_a_whole_chain,
    what_never_changes_is_refused_by_name,
    tokens_of_a_deleted_bucket_are_reached_by_their_ids,
    only_unusable_tokens_are_purged,
    every_act_is_in_the_audit,
    the_audit_comes_in_pages,
    lists_of_long_rows_come_in_several_answers,
    settings_of_any_size_leave_small_records,
    explanations_agree_with_requests,
    explanations_refuse_what_they_cannot_read,
}

struct Scene {
    server: Server,
    root: Clients,
}

impl Scene {
    async fn start(options: ServerOptions) -> Result<Self, HarnessError> {
        let server = Server::start(options)?;
        let mut root = Clients::root(&server).await?;
        root.create_bucket(BUCKET).await?;
        root.create_bucket(OTHER_BUCKET).await?;
        Ok(Self { server, root })
    }

    async fn make(
        &mut self,
        settings: CreateTokenRequest,
    ) -> Result<(Token, Credentials), HarnessError> {
        let request = CreateTokenRequest {
            bucket: BUCKET.to_owned(),
            name: "token".to_owned(),
            ..settings
        };
        let made = self.root.tokens.create_token(request).await?.into_inner();
        Ok((
            made.token.ok_or(HarnessError::Incomplete("token"))?,
            made.credentials
                .ok_or(HarnessError::Incomplete("credentials"))?,
        ))
    }

    async fn token(
        &mut self,
        permission: Permission,
    ) -> Result<(Token, Credentials), HarnessError> {
        self.make(CreateTokenRequest {
            permission: permission.into(),
            ..Default::default()
        })
        .await
    }

    async fn get(&mut self, bucket: &str, id: &str) -> Result<Token, Status> {
        let request = GetTokenRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
        };
        let answer = self.root.tokens.get_token(request).await?.into_inner();
        Ok(answer.token.unwrap_or_default())
    }

    async fn edit(&mut self, token: Token, paths: &[&str]) -> Result<Token, Status> {
        let request = UpdateTokenRequest {
            token: Some(token),
            update_mask: Some(FieldMask {
                paths: paths.iter().map(|&path| path.to_owned()).collect(),
            }),
        };
        let answer = self.root.tokens.update_token(request).await?.into_inner();
        Ok(answer.token.unwrap_or_default())
    }

    async fn revoke(&mut self, id: &str) -> Result<(), Status> {
        let request = RevokeTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: id.to_owned(),
        };
        self.root.tokens.revoke_token(request).await.map(drop)
    }

    async fn purge(&mut self, bucket: &str, id: &str) -> Result<(), Status> {
        let request = PurgeTokenRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
        };
        self.root.tokens.purge_token(request).await.map(drop)
    }

    async fn list(&mut self, bucket: &str) -> Result<Vec<Token>, Status> {
        let request = ListTokensRequest {
            bucket: bucket.to_owned(),
            ..Default::default()
        };
        Ok(self
            .root
            .tokens
            .list_tokens(request)
            .await?
            .into_inner()
            .tokens)
    }

    /// The events of a bucket or token, all of them.
    async fn audit(&mut self, bucket: &str, id: &str) -> Result<Vec<AuditEvent>, Status> {
        let request = ListTokenAuditEventsRequest {
            bucket: bucket.to_owned(),
            token_id: id.to_owned(),
            page_size: 1000,
            page_token: String::new(),
        };
        let answer = self.root.tokens.list_token_audit_events(request).await?;
        Ok(answer.into_inner().events)
    }

    fn s3(&self, credentials: &Credentials, request: Request) -> Result<Response, HarnessError> {
        let request = request.header("host", &self.server.address().to_string());
        let signed = signer(credentials).header(request, SystemTime::now(), Payload::Signed)?;
        exchange(self.server.address(), signed)
    }

    fn head_bucket(&self, credentials: &Credentials) -> Result<u16, HarnessError> {
        let request = Request::new("HEAD", &format!("/{BUCKET}"));
        Ok(self.s3(credentials, request)?.status)
    }
}

fn soon(delay: Duration) -> Timestamp {
    Timestamp::from(SystemTime::now() + delay)
}

fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(answer) => format!("allowed: {answer:?}"),
        Err(status) => explain(&status)
            .map(|explained| explained.reason.as_str_name().to_owned())
            .unwrap_or_else(|| format!("no reason: {status:?}")),
    }
}

/// The token as the fields of an edit.
fn of(token: &Token) -> Token {
    Token {
        bucket: token.bucket.clone(),
        token_id: token.token_id.clone(),
        ..Token::default()
    }
}

async fn expiry_and_limits_are_edited(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, credentials) = scene
        .make(CreateTokenRequest {
            permission: Permission::ReadOnly.into(),
            expire_time: Some(soon(Duration::from_secs(1))),
            ..Default::default()
        })
        .await?;
    // The time is the server's: it is asked until it says so.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while scene.head_bucket(&credentials)? == 200 {
        assert!(std::time::Instant::now() < deadline, "does not expire");
    }
    let expired = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(expired.state(), TokenState::Expired);
    assert_eq!(scene.head_bucket(&credentials)?, 403);

    let later = Token {
        expire_time: Some(soon(Duration::from_secs(3_600))),
        ..of(&token)
    };
    let edited = scene.edit(later.clone(), &["expire_time"]).await?;
    assert_eq!(
        (edited.state(), edited.version),
        (TokenState::Active, expired.version + 1)
    );
    assert_eq!(scene.head_bucket(&credentials)?, 200);

    let past = Token {
        expire_time: Some(Timestamp {
            seconds: 1,
            nanos: 0,
        }),
        ..of(&token)
    };
    let refused = scene.edit(past, &["expire_time"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");
    let lifted = scene.edit(of(&token), &["expire_time"]).await?;
    assert_eq!(lifted.expire_time, None);

    let limits = TokenLimits {
        requests_per_second: 7,
        bytes_per_day: 1 << 40,
    };
    let limited = Token {
        limits: Some(limits),
        ..of(&token)
    };
    assert_eq!(scene.edit(limited, &["limits"]).await?.limits, Some(limits));
    assert_eq!(
        scene.get(BUCKET, &token.token_id).await?.limits,
        Some(limits)
    );
    assert_eq!(scene.edit(of(&token), &["limits"]).await?.limits, None);
    for wrong in [-1, 1_000_001] {
        let limits = TokenLimits {
            requests_per_second: wrong,
            bytes_per_day: 0,
        };
        let wrong = Token {
            limits: Some(limits),
            ..of(&token)
        };
        let refused = scene.edit(wrong, &["limits"]).await;
        assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");
    }

    // Before and after, of all that can be edited.
    let events = scene.audit(BUCKET, &token.token_id).await?;
    let details: Vec<serde_json::Value> = events
        .iter()
        .filter(|event| event.action == "token.update")
        .map(|event| serde_json::from_str(&event.details).unwrap())
        .collect();
    assert_eq!(details.len(), 4);
    for edit in &details {
        for side in ["before", "after"] {
            let fields: BTreeSet<&str> = edit[side]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let wanted = [
                "name",
                "allowed_ips",
                "disallowed_ips",
                "expire_time",
                "limits",
            ];
            assert_eq!(fields, BTreeSet::from(wanted));
        }
    }
    assert_eq!(details[0]["before"]["limits"]["requests_per_second"], 7);
    assert!(details[0]["after"]["limits"]["requests_per_second"].is_null());
    assert!(details[3]["after"]["expire_time"].is_string());
    Ok(())
}

async fn edits_that_change_nothing_leave_no_trace(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let same = Token {
        name: token.name.clone(),
        ..of(&token)
    };
    let paths = [
        "name",
        "allowed_ips",
        "disallowed_ips",
        "expire_time",
        "limits",
    ];
    let edited = scene.edit(same.clone(), &paths).await?;
    assert_eq!(
        (edited.version, &edited.update_time),
        (token.version, &token.update_time)
    );
    let events = scene.audit(BUCKET, &token.token_id).await?;
    assert_eq!(events.len(), 1, "{events:?}");
    // The version counts for such an edit too, and so does revocation.
    let stale = Token {
        version: token.version + 1,
        ..same.clone()
    };
    let refused = scene.edit(stale, &["name"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_VERSION_CONFLICT");
    scene.revoke(&token.token_id).await?;
    let refused = scene.edit(same, &["name"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_TOKEN_REVOKED");
    Ok(())
}

/// Edits without a version come one after the other, and each record has what was really there before it; of those at one
/// version a single one wins.
async fn edits_at_the_same_time_leave_a_whole_chain(scene: &mut Scene) -> Result<(), HarnessError> {
    const EDITORS: usize = 6;
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let renamed = |number: usize, version: i64| UpdateTokenRequest {
        token: Some(Token {
            name: format!("name {number}"),
            version,
            ..of(&token)
        }),
        update_mask: Some(FieldMask {
            paths: vec!["name".to_owned()],
        }),
    };
    let clients = vec![scene.root.tokens.clone(); EDITORS];
    let edits = clients
        .iter()
        .cloned()
        .enumerate()
        .map(|(number, mut tokens)| async move { tokens.update_token(renamed(number, 0)).await });
    for edited in futures::future::join_all(edits).await {
        edited?;
    }
    let now = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(now.version, token.version + EDITORS as i64);

    let same = clients.into_iter().enumerate().map(|(number, mut tokens)| {
        let edit = renamed(number + 100, now.version);
        async move { tokens.update_token(edit).await }
    });
    let answers = futures::future::join_all(same).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1, "{answers:?}");
    for lost in answers.into_iter().filter(Result::is_err) {
        assert_eq!(reason(lost), "ERROR_REASON_VERSION_CONFLICT");
    }

    // Each edit begins where another ended.
    let mut ends: Vec<(String, String)> = Vec::new();
    for event in scene.audit(BUCKET, &token.token_id).await? {
        if event.action == "token.update" {
            let details: serde_json::Value = serde_json::from_str(&event.details).unwrap();
            let name = |side: &str| details[side]["name"].as_str().unwrap().to_owned();
            ends.push((name("before"), name("after")));
        }
    }
    assert_eq!(ends.len(), EDITORS + 1);
    let mut at = token.name.clone();
    while let Some(next) = ends.iter().position(|(before, _)| *before == at) {
        at = ends.swap_remove(next).1;
    }
    assert!(ends.is_empty(), "{ends:?}");
    assert_eq!(at, scene.get(BUCKET, &token.token_id).await?.name);
    Ok(())
}

async fn what_never_changes_is_refused_by_name(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let edit = Token {
        permission: Permission::ReadWrite.into(),
        access_key_id: "BKTYAAAAAAAAAAAAAAAA".to_owned(),
        name: "another".to_owned(),
        ..of(&token)
    };
    for path in ["permission", "access_key_id", "secret_access_key", "state"] {
        let Err(status) = scene.edit(edit.clone(), &["name", path]).await else {
            panic!("{path} was changed");
        };
        assert!(status.message().contains(path), "{status:?}");
        let refused = scene.edit(edit.clone(), &[path]).await;
        assert_eq!(reason(refused), "ERROR_REASON_IMMUTABLE_FIELD", "{path}");
    }
    let after = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(after, token);
    Ok(())
}

async fn tokens_of_a_deleted_bucket_are_reached_by_their_ids(
    scene: &mut Scene,
) -> Result<(), HarnessError> {
    let (orphan, credentials) = scene.token(Permission::ReadWrite).await?;
    let id = orphan.token_id.clone();
    assert!(scene.list("").await?.is_empty());
    // By its id alone a token is found as long as its bucket is there, too.
    assert_eq!(scene.get("", &id).await?.bucket, BUCKET);
    let delete = DeleteBucketRequest {
        bucket: BUCKET.to_owned(),
    };
    scene.root.objects.delete_bucket(delete).await?;
    let gone = scene.get(BUCKET, &id).await;
    assert_eq!(reason(gone), "ERROR_REASON_NO_SUCH_BUCKET");
    scene.root.create_bucket(BUCKET).await?;
    // The new bucket has nothing of the old one's.
    assert!(scene.list(BUCKET).await?.is_empty());
    assert!(
        scene
            .audit(BUCKET, "")
            .await?
            .iter()
            .all(|event| event.token_id != id)
    );
    let foreign = scene.get(BUCKET, &id).await;
    assert_eq!(reason(foreign), "ERROR_REASON_NO_SUCH_TOKEN");
    let purge = scene.purge(BUCKET, &id).await;
    assert_eq!(reason(purge), "ERROR_REASON_NO_SUCH_TOKEN");
    assert_eq!(scene.head_bucket(&credentials)?, 403);
    orphans_reach_nothing(scene, &credentials).await?;

    let shown = scene.get("", &orphan.access_key_id).await?;
    assert_eq!(
        (shown.state(), shown.bucket.as_str()),
        (TokenState::Orphaned, BUCKET)
    );
    let listed = scene.list("").await?;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].token_id, id);

    strangers_learn_nothing(scene, &id, &credentials).await?;

    scene.purge("", &id).await?;
    assert!(scene.list("").await?.is_empty());
    let again = scene.purge("", &id).await;
    assert_eq!(reason(again), "ERROR_REASON_NO_SUCH_TOKEN");
    // What was done stays, and is found by the token's id.
    let actions: Vec<String> = scene
        .audit("", &id)
        .await?
        .into_iter()
        .map(|event| event.action)
        .collect();
    assert_eq!(actions, ["token.purge", "token.create"]);
    Ok(())
}

/// A token whose bucket is deleted is refused even where no bucket is named.
async fn orphans_reach_nothing(
    scene: &Scene,
    credentials: &Credentials,
) -> Result<(), HarnessError> {
    let buckets = scene.s3(credentials, Request::new("GET", "/"))?;
    assert_eq!(buckets.status, 403, "{}", buckets.text());
    let mut own = Clients::connect(&scene.server, Bearer::token(credentials)?).await?;
    let session = own.tokens.create_session(CreateSessionRequest {}).await;
    assert_eq!(reason(session), "ERROR_REASON_ACCESS_DENIED");
    let buckets = own.objects.list_buckets(ListBucketsRequest::default());
    assert_eq!(reason(buckets.await), "ERROR_REASON_ACCESS_DENIED");
    Ok(())
}

/// Neither another account's administrator nor a token, its own included.
async fn strangers_learn_nothing(
    scene: &mut Scene,
    id: &str,
    credentials: &Credentials,
) -> Result<(), HarnessError> {
    let request = CreateAccountRequest {
        display_name: "stranger".to_owned(),
    };
    let made = scene.root.admin.create_account(request).await?.into_inner();
    let stranger = Bearer::key(&made.access_key_id, &made.secret_access_key)?;
    let mut stranger = Clients::connect(&scene.server, stranger).await?;
    let get = |id: &str| GetTokenRequest {
        bucket: String::new(),
        token_id: id.to_owned(),
    };
    let there = stranger.tokens.get_token(get(id)).await;
    let missing = stranger.tokens.get_token(get("999999999")).await;
    assert_eq!(reason(there), "ERROR_REASON_NO_SUCH_TOKEN");
    assert_eq!(reason(missing), "ERROR_REASON_NO_SUCH_TOKEN");
    let all = stranger.tokens.list_tokens(ListTokensRequest::default());
    assert!(all.await?.into_inner().tokens.is_empty());
    let events = ListTokenAuditEventsRequest {
        token_id: id.to_owned(),
        ..Default::default()
    };
    let events = stranger.tokens.list_token_audit_events(events).await?;
    assert!(events.into_inner().events.is_empty());

    let mut token = Clients::connect(&scene.server, Bearer::token(credentials)?).await?;
    let (there, missing) = (
        token.tokens.get_token(get(id)).await,
        token.tokens.get_token(get("999999999")).await,
    );
    assert_eq!(reason(there), "ERROR_REASON_ACCESS_DENIED");
    assert_eq!(reason(missing), "ERROR_REASON_ACCESS_DENIED");
    let all = token.tokens.list_tokens(ListTokensRequest::default()).await;
    assert_eq!(reason(all), "ERROR_REASON_ACCESS_DENIED");
    Ok(())
}

async fn only_unusable_tokens_are_purged(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let id = token.token_id.as_str();
    let request = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: id.to_owned(),
    };
    assert_eq!(
        reason(scene.purge(BUCKET, id).await),
        "ERROR_REASON_TOKEN_USABLE"
    );
    // It could be resumed.
    scene.root.tokens.suspend_token(request).await?;
    assert_eq!(
        reason(scene.purge(BUCKET, id).await),
        "ERROR_REASON_TOKEN_USABLE"
    );
    scene.revoke(id).await?;
    // Listed until it is purged.
    assert_eq!(scene.list(BUCKET).await?.len(), 1);
    scene.purge(BUCKET, id).await?;
    assert!(scene.list(BUCKET).await?.is_empty());
    let gone = scene.get(BUCKET, id).await;
    assert_eq!(reason(gone), "ERROR_REASON_NO_SUCH_TOKEN");
    let events = scene.audit(BUCKET, id).await?;
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "token.purge",
            "token.revoke",
            "token.suspend",
            "token.create"
        ]
    );
    let details: serde_json::Value = serde_json::from_str(&events[0].details).unwrap();
    assert_eq!(details["access_key_id"], token.access_key_id);
    Ok(())
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

/// An operation, the fields that it has set, and its request below a bucket.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [u8],
);

const TAGGING: &[u8] =
    b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
const DELETE: &[u8] = b"<Delete><Object><Key>none</Key></Object></Delete>";

const ROWS: &[Row] = &[
    ("HeadObject", &[], "HEAD", "/k", &[], b""),
    ("GetObject", &[], "GET", "/k", &[], b""),
    ("GetObjectTagging", &[], "GET", "/k?tagging", &[], b""),
    (
        "GetObjectAttributes",
        &[],
        "GET",
        "/k?attributes",
        &[("x-amz-object-attributes", "ETag")],
        b"",
    ),
    ("ListObjects", &[], "GET", "", &[], b""),
    ("ListObjectsV2", &[], "GET", "?list-type=2", &[], b""),
    ("ListMultipartUploads", &[], "GET", "?uploads", &[], b""),
    ("ListParts", &[], "GET", "/k?uploadId=AAAA", &[], b""),
    ("HeadBucket", &[], "HEAD", "", &[], b""),
    ("GetBucketLocation", &[], "GET", "?location", &[], b""),
    ("GetBucketTagging", &[], "GET", "?tagging", &[], b""),
    ("GetBucketAcl", &[], "GET", "?acl", &[], b""),
    ("ListObjectVersions", &[], "GET", "?versions", &[], b""),
    ("PutBucketTagging", &[], "PUT", "?tagging", &[], TAGGING),
    ("DeleteBucketCors", &[], "DELETE", "?cors", &[], b""),
    ("CreateBucket", &[], "PUT", "", &[], b""),
    ("DeleteBucket", &[], "DELETE", "", &[], b""),
    ("PutObject", &[], "PUT", "/new", &[], b"content"),
    (
        "PutObject",
        &["precondition.if_none_match=*"],
        "PUT",
        "/k",
        &[("if-none-match", "*")],
        b"content",
    ),
    (
        "PutObject",
        &["precondition.if_match"],
        "PUT",
        "/k",
        &[("if-match", "\"other\"")],
        b"content",
    ),
    ("PutObjectTagging", &[], "PUT", "/k?tagging", &[], TAGGING),
    ("DeleteObjectTagging", &[], "DELETE", "/k?tagging", &[], b""),
    ("DeleteObject", &[], "DELETE", "/none", &[], b""),
    (
        "DeleteObjects",
        &[],
        "POST",
        "?delete",
        &[("content-md5", "")],
        DELETE,
    ),
    ("CreateMultipartUpload", &[], "POST", "/k?uploads", &[], b""),
    (
        "AbortMultipartUpload",
        &[],
        "DELETE",
        "/k?uploadId=AAAA",
        &[],
        b"",
    ),
    (
        "CopyObject",
        &[],
        "PUT",
        "/copy",
        &[("x-amz-copy-source", "/token-admin-bucket/k")],
        b"",
    ),
];

impl Scene {
    /// Whether a real request is refused for who asks, from where, or what the token may do.
    fn is_refused(
        &self,
        credentials: &Credentials,
        bucket: &str,
        row: &Row,
    ) -> Result<bool, HarnessError> {
        let (operation, _, method, path, headers, body) = *row;
        let mut request = Request::new(method, &format!("/{bucket}{path}"));
        for &(name, value) in headers {
            request = match name {
                // What S3 asks of a batch delete is a digest of its body.
                "content-md5" => request.header("x-amz-checksum-crc32", &crc32_base64(body)),
                _ => request.header(name, value),
            };
        }
        let response = self.s3(credentials, with_body(request, body))?;
        let code = response.element("Code").unwrap_or_default();
        let refused = response.status == 403;
        assert!(
            !refused
                || method == "HEAD"
                || ["AccessDenied", "InvalidAccessKeyId"].contains(&code.as_str()),
            "{operation}: {code}"
        );
        assert!(
            response.status < 500 && response.status != 400,
            "{operation}: {} {code}",
            response.status
        );
        Ok(refused)
    }

    async fn explain(
        &mut self,
        token: &Token,
        bucket: &str,
        row: &Row,
    ) -> Result<ExplainAccessResponse, Status> {
        let request = ExplainAccessRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
            operation: row.0.to_owned(),
            target_bucket: bucket.to_owned(),
            client_address: "127.0.0.1".to_owned(),
            fields: row.1.iter().map(|&field| field.to_owned()).collect(),
            ..Default::default()
        };
        Ok(self.root.tokens.explain_access(request).await?.into_inner())
    }
}

fn crc32_base64(body: &[u8]) -> String {
    let mut crc = !0_u32;
    for &byte in body {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    base64(&(!crc).to_be_bytes())
}

fn base64(bytes: &[u8; 4]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes(*bytes);
    let digit = |shift: u32| char::from(DIGITS[(bits >> shift & 63) as usize]);
    let last = char::from(DIGITS[((bits & 3) << 4) as usize]);
    [
        digit(26),
        digit(20),
        digit(14),
        digit(8),
        digit(2),
        last,
        '=',
        '=',
    ]
    .iter()
    .collect()
}

#[expect(clippy::print_stdout, reason = "how much was compared is a result")]
async fn explanations_agree_with_requests(scene: &mut Scene) -> Result<(), HarnessError> {
    let put = with_body(Request::new("PUT", &format!("/{BUCKET}/k")), b"content");
    let (_, writer) = scene.token(Permission::ReadWrite).await?;
    assert_eq!(scene.s3(&writer, put)?.status, 200);

    let ips = |allowed: &str, disallowed: &str| CreateTokenRequest {
        permission: Permission::ReadWrite.into(),
        allowed_ips: allowed.split_whitespace().map(str::to_owned).collect(),
        disallowed_ips: disallowed.split_whitespace().map(str::to_owned).collect(),
        ..Default::default()
    };
    let plain = |permission: Permission| CreateTokenRequest {
        permission: permission.into(),
        ..Default::default()
    };
    let made = [
        plain(Permission::ReadOnly),
        plain(Permission::WriteOnly),
        plain(Permission::ReadWrite),
        ips("", "127.0.0.0/8"),
        ips("10.0.0.0/8 ::1", ""),
        ips("127.0.0.0/8", "127.0.0.2"),
        // These two become unusable.
        plain(Permission::ReadWrite),
        plain(Permission::ReadWrite),
    ];
    let mut tokens = Vec::new();
    for settings in made {
        tokens.push(scene.make(settings).await?);
    }
    let suspend = SuspendTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: tokens[6].0.token_id.clone(),
    };
    scene.root.tokens.suspend_token(suspend).await?;
    let revoked = tokens[7].0.token_id.clone();
    scene.revoke(&revoked).await?;

    let (mut compared, mut faults) = (0, Vec::new());
    let mut reasons = BTreeSet::new();
    for (token, credentials) in &tokens {
        for bucket in [BUCKET, OTHER_BUCKET, "no-such-bucket-anywhere"] {
            for row in ROWS {
                let refused = scene.is_refused(credentials, bucket, row)?;
                let explained = scene.explain(token, bucket, row).await?;
                reasons.insert(explained.reason().as_str_name());
                compared += 1;
                if explained.allowed == refused {
                    faults.push(format!(
                        "{bucket} {row:?}: refused: {refused}; {explained:?}"
                    ));
                }
                assert_eq!(explained.client_address, "127.0.0.1");
                assert!(!explained.rule.is_empty());
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(compared, tokens.len() * 3 * ROWS.len());
    println!("explanations compared with requests: {compared}");
    let wanted = [
        DecisionReason::Permitted,
        DecisionReason::Suspended,
        DecisionReason::Revoked,
        DecisionReason::AddressDisallowed,
        DecisionReason::AddressNotAllowed,
        DecisionReason::OtherBucket,
        DecisionReason::Permission,
        DecisionReason::AdministratorsOnly,
    ];
    assert_eq!(
        reasons,
        wanted.iter().map(DecisionReason::as_str_name).collect()
    );
    Ok(())
}

async fn explanations_refuse_what_they_cannot_read(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let asked = ExplainAccessRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
        operation: "GetObject".to_owned(),
        ..Default::default()
    };
    let tokens = &mut scene.root.tokens;
    let allowed = tokens.explain_access(asked.clone()).await?.into_inner();
    assert!(allowed.allowed && allowed.client_address.is_empty());
    for (wrong, named) in [
        (
            ExplainAccessRequest {
                operation: "getObject".to_owned(),
                ..asked.clone()
            },
            "did you mean GetObject",
        ),
        (
            ExplainAccessRequest {
                client_address: "10.0.0.0/8".to_owned(),
                ..asked.clone()
            },
            "10.0.0.0/8",
        ),
        (
            ExplainAccessRequest {
                fields: vec!["range".to_owned()],
                ..asked.clone()
            },
            "range",
        ),
        (
            ExplainAccessRequest {
                key: "k".repeat(1_025),
                ..asked.clone()
            },
            "1,024",
        ),
        (
            ExplainAccessRequest {
                target_bucket: "No Bucket".to_owned(),
                ..asked.clone()
            },
            "No Bucket",
        ),
    ] {
        let Err(status) = tokens.explain_access(wrong).await else {
            panic!("{named} was taken");
        };
        assert!(status.message().contains(named), "{status:?}");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
    }
    Ok(())
}
