//! Attacks on what surrounds a token: the keys of those who administer it, URLs and sessions that it gave away.

use std::collections::BTreeSet;

use std::time::{Duration, SystemTime};

use bucketry_contract::errors::explain;
use bucketry_contract::v1::object_service_client::ObjectServiceClient;
use bucketry_contract::v1::{
    CreateOperatorKeyRequest, CreateSessionRequest, CreateTokenRequest,
    DescribeClientAddressRequest, ExplainAccessRequest, GetCapabilitiesRequest,
    ListAdminKeysRequest, ListBucketsRequest, Permission, RevokeAdminKeyRequest,
    SuspendTokenRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients, channel};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use futures::future::join_all;
use futures::stream;
use tonic::Code;

use crate::wire::{BUCKET, Wire, refusal, refused};

/// How often the race is run.
const ROUNDS: usize = 15;
/// Calls at a time of the key that is about to be revoked.
const AT_ONCE: usize = 12;

/// The ids of all keys that administer something.
async fn admin_keys(root: &mut Clients) -> Result<BTreeSet<String>, HarnessError> {
    let mut found = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = ListAdminKeysRequest {
            page_size: 1000,
            page_token,
            account_id: String::new(),
        };
        let page = root.admin.list_admin_keys(request).await?.into_inner();
        found.extend(page.keys.into_iter().map(|key| key.access_key_id));
        if page.next_page_token.is_empty() {
            return Ok(found);
        }
        page_token = page.next_page_token;
    }
}

async fn new_operator_key(clients: &mut Clients) -> Result<(String, String), tonic::Status> {
    let name = "operator".to_owned();
    let made = clients
        .admin
        .create_operator_key(CreateOperatorKeyRequest { name })
        .await?
        .into_inner();
    let id = made.key.unwrap_or_default().access_key_id;
    Ok((id, made.secret_access_key))
}

/// Whoever holds a stolen operator's key makes keys as fast as he can, so that one outlives the revocation.
async fn keys_are_made_against_a_revocation(options: ServerOptions) -> Result<(), HarnessError> {
    let server = Server::start(options)?;
    let mut root = Clients::root(&server).await?;
    for round in 0..ROUNDS {
        let (id, secret) = new_operator_key(&mut root).await?;
        let thief = Clients::connect(&server, Bearer::key(&id, &secret)?).await?;
        let calls = (0..AT_ONCE).map(|_| {
            let mut thief = thief.clone();
            tokio::spawn(async move { while new_operator_key(&mut thief).await.is_ok() {} })
        });
        let calls: Vec<_> = calls.collect();
        let known = admin_keys(&mut root).await?.len();
        while admin_keys(&mut root).await?.len() < known + AT_ONCE {}
        let revoke = RevokeAdminKeyRequest { key_id: id };
        root.admin.revoke_admin_key(revoke).await?;
        let when_it_returned = admin_keys(&mut root).await?;
        for call in join_all(calls).await {
            call.expect("a caller panicked");
        }
        let after_all = admin_keys(&mut root).await?;
        let outlived: Vec<_> = after_all.difference(&when_it_returned).collect();
        assert!(outlived.is_empty(), "round {round}: {outlived:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_made_after_the_revocation_of_its_maker() -> Result<(), HarnessError> {
    keys_are_made_against_a_revocation(ServerOptions::new()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_made_after_the_revocation_of_its_maker_on_postgres() -> Result<(), HarnessError>
{
    let url = postgres::create_database().await?;
    keys_are_made_against_a_revocation(ServerOptions::new().database_url(&url)).await
}

/// The host that a URL was signed for may have been rewritten by a proxy. The bucket's name must not come in with it:
/// the same path below the bucket's own host is another key.
#[tokio::test]
async fn a_url_is_for_no_other_key_under_another_host() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    wire.put("k", b"given away")?;
    let hidden = format!("{BUCKET}/k");
    wire.put(&hidden, b"not given away")?;
    let host = format!("localhost:{}", wire.server.address().port());
    let presigned = |method| {
        let mut request = wire.request(method, "k");
        request.headers.clear();
        let request = request.header("host", &host);
        let hour = Duration::from_secs(3600);
        wire.signer.presign(request, SystemTime::now(), hour)
    };
    let below_bucket = format!("{BUCKET}.{host}");
    for method in ["GET", "PUT"] {
        let good = presigned(method)?.header("content-length", "0");
        if method == "GET" {
            assert_eq!(wire.send(good.clone())?.text(), "given away");
        }
        let mut moved = good;
        moved.headers[0].1.clone_from(&below_bucket);
        let answer = wire.send(moved)?;
        assert_eq!(
            refusal(&answer),
            refused(403, "SignatureDoesNotMatch"),
            "{method}"
        );
    }
    assert_eq!(wire.get(&hidden)?.text(), "not given away");
    Ok(())
}

fn reason<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> String {
    match answer {
        Ok(answer) => panic!("allowed: {answer:?}"),
        Err(status) => explain(&status)
            .map_or("none", |explained| explained.reason.as_str_name())
            .to_owned(),
    }
}

/// A session that gets into wrong hands ends after its quarter of an hour: it does not prolong itself.
#[tokio::test]
async fn a_session_makes_no_other() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut by_key = Clients::connect(&wire.server, Bearer::token(&wire.credentials)?).await?;
    let session = by_key.tokens.create_session(CreateSessionRequest {});
    let session = session.await?.into_inner().session_token;
    let mut by_session = Clients::connect(&wire.server, Bearer::session(&session)?).await?;
    by_session
        .objects
        .list_buckets(ListBucketsRequest::default())
        .await?;
    let another = by_session.tokens.create_session(CreateSessionRequest {});
    assert_eq!(reason(another.await), "ERROR_REASON_INVALID_REQUEST");
    Ok(())
}

/// What is for everybody is answered to the holder of an unusable token too, and explained so.
#[tokio::test]
async fn public_calls_are_explained_as_they_are_answered() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let made = root.tokens.create_token(CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: "suspended".to_owned(),
        permission: Permission::ReadOnly.into(),
        ..Default::default()
    });
    let made = made.await?.into_inner();
    let token_id = made.token.unwrap_or_default().token_id;
    root.tokens
        .suspend_token(SuspendTokenRequest {
            bucket: BUCKET.to_owned(),
            token_id: token_id.clone(),
        })
        .await?;
    let credentials = made.credentials.unwrap_or_default();
    let mut holder = Clients::connect(&wire.server, Bearer::token(&credentials)?).await?;
    let capabilities = holder
        .objects
        .get_capabilities(GetCapabilitiesRequest {})
        .await;
    let address = holder
        .tokens
        .describe_client_address(DescribeClientAddressRequest::default())
        .await;
    let listed = holder
        .objects
        .list_buckets(ListBucketsRequest::default())
        .await;
    for (operation, answered) in [
        ("GetCapabilities", capabilities.is_ok()),
        ("DescribeClientAddress", address.is_ok()),
        ("ListBuckets", listed.is_ok()),
    ] {
        let asked = ExplainAccessRequest {
            bucket: BUCKET.to_owned(),
            token_id: token_id.clone(),
            operation: operation.to_owned(),
            client_address: "127.0.0.1".to_owned(),
            ..Default::default()
        };
        let explained = root.tokens.explain_access(asked).await?.into_inner();
        assert_eq!(explained.allowed, answered, "{operation}");
        assert_eq!(answered, operation != "ListBuckets", "{operation}");
    }
    Ok(())
}

/// A stranger opens streams and sends nothing: each is refused at once, and does not stay open.
#[tokio::test]
async fn silent_streams_of_strangers_are_refused() -> Result<(), HarnessError> {
    let server = Server::start(ServerOptions::new())?;
    let mut stranger = ObjectServiceClient::new(channel(&server).await?);
    let put = stranger.put_object(stream::pending()).await;
    assert_eq!(put.unwrap_err().code(), Code::Unauthenticated);
    let part = stranger.upload_part(stream::pending()).await;
    assert_eq!(part.unwrap_err().code(), Code::Unauthenticated);
    Ok(())
}
