//! Attacks on what surrounds a token: the keys of those who administer it.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    CreateOperatorKeyRequest, ListAdminKeysRequest, RevokeAdminKeyRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::postgres;
use bucketry_tests::server::{Server, ServerOptions};
use futures::future::join_all;

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
