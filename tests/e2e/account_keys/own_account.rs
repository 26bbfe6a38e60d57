//! An account administrator reaches the keys of the own account, an operator those of every account, a token none.

use bucketry_contract::v1::{
    AdminKeyScope, CreateEdgeKeyRequest, ListAuditEventsRequest, Permission, TokenState,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::{Bearer, Clients};
use bucketry_tests::server::ROOT_ACCESS_KEY_ID;

use super::{ACCESS_DENIED, NO_SUCH_TOKEN, Scene, create, list, on_both_engines, reason, revoke};

on_both_engines! {
    administrators_reach_only_keys_of_their_account,
    operators_reach_the_keys_of_every_account,
    tokens_reach_no_keys,
    keys_are_shown_with_their_origin_and_use,
    acts_are_in_the_audit,
}

const INVALID_ARGUMENT: &str = "ERROR_REASON_INVALID_ARGUMENT";
const NO_SUCH_ACCOUNT: &str = "ERROR_REASON_NO_SUCH_ACCOUNT";

async fn administrators_reach_only_keys_of_their_account(
    scene: &mut Scene,
) -> Result<(), HarnessError> {
    let mut own = scene.account("own").await?;
    let mut other = scene.account("other").await?;
    let mut second = scene.another(&mut own).await?;
    let name = "edge".to_owned();
    let edge = scene
        .root
        .admin
        .create_edge_key(CreateEdgeKeyRequest { name });
    let edge = edge.await?.into_inner().key.unwrap_or_default();

    let ids = async |clients: &mut Clients, account: &str| {
        let keys = list(clients, account).await?.into_iter();
        Ok::<_, tonic::Status>(keys.map(|key| key.access_key_id).collect::<Vec<_>>())
    };
    let expected = [own.access_key_id.clone(), second.access_key_id.clone()];
    let account = own.account.clone();
    assert_eq!(ids(&mut own.clients, "").await?, expected);
    assert_eq!(ids(&mut second.clients, &account).await?, expected);
    assert_eq!(
        ids(&mut other.clients, "").await?,
        [other.access_key_id.as_str()]
    );

    // An account that exists and one that does not get the same answer.
    for account in [account.as_str(), "999999999"] {
        let clients = &mut other.clients;
        assert_eq!(reason(list(clients, account).await), ACCESS_DENIED);
        assert_eq!(reason(create(clients, account, "n").await), ACCESS_DENIED);
    }
    let malformed = create(&mut other.clients, "me", "n").await;
    assert_eq!(reason(malformed), INVALID_ARGUMENT);
    let unnamed = create(&mut other.clients, "", "").await;
    assert_eq!(reason(unnamed), INVALID_ARGUMENT);
    let keys = list(&mut scene.root, "").await?;
    for key in &keys {
        let reached = key.account_id == other.account;
        for id in [&key.key_id, &key.access_key_id] {
            if !reached {
                let refused = revoke(&mut other.clients, id).await;
                assert_eq!(reason(refused), NO_SUCH_TOKEN, "{key:?}");
            }
        }
    }
    let foreign = [ROOT_ACCESS_KEY_ID, &edge.access_key_id, &own.access_key_id];
    let listed = |id: &str| keys.iter().any(|key| key.access_key_id == id);
    assert!(foreign.iter().all(|id| listed(id)), "{keys:?}");
    let unknown = revoke(&mut other.clients, "1").await;
    assert_eq!(reason(unknown), NO_SUCH_TOKEN);
    assert_eq!(list(&mut scene.root, "").await?.len(), keys.len());
    assert_eq!(scene.usable(&own.account).await?, expected);
    Ok(())
}

async fn operators_reach_the_keys_of_every_account(scene: &mut Scene) -> Result<(), HarnessError> {
    let own = scene.account("own").await?;
    let root = &mut scene.root;
    assert_eq!(reason(create(root, "", "n").await), INVALID_ARGUMENT);
    assert_eq!(reason(create(root, "me", "n").await), INVALID_ARGUMENT);
    for answer in [
        reason(create(root, "999999999", "n").await),
        reason(list(root, "999999999").await),
    ] {
        assert_eq!(answer, NO_SUCH_ACCOUNT);
    }
    let (key, secret) = create(root, &own.account, "by the operator").await?;
    assert_eq!(key.created_by, ROOT_ACCESS_KEY_ID);
    let of_account = list(root, &own.account).await?;
    let listed: Vec<&str> = of_account.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(listed, ["administrator", "by the operator"]);
    assert!(list(root, "").await?.len() > of_account.len());

    let pair = (key.access_key_id.clone(), secret);
    let mut second = scene.administrator(own.account.clone(), pair).await?;
    second.clients.create_bucket("of-the-second-key").await?;
    revoke(&mut scene.root, &own.access_key_id).await?;
    assert_eq!(scene.usable(&own.account).await?, [key.access_key_id]);
    Ok(())
}

async fn tokens_reach_no_keys(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut own = scene.account("own").await?;
    own.clients.create_bucket("keys-of-a-token").await?;
    let made = own
        .clients
        .create_token("keys-of-a-token", Permission::ReadWrite);
    let (token, credentials) = made.await?;
    let mut holder = Clients::connect(&scene.server, Bearer::token(&credentials)?).await?;
    for account in ["", "me", own.account.as_str()] {
        assert_eq!(reason(list(&mut holder, account).await), ACCESS_DENIED);
        let made = create(&mut holder, account, "n").await;
        assert_eq!(reason(made), ACCESS_DENIED);
    }
    for id in [&own.access_key_id, &token.token_id, &token.access_key_id] {
        assert_eq!(reason(revoke(&mut holder, id).await), ACCESS_DENIED);
    }
    // Tokens have an RPC of their own.
    for clients in [&mut own.clients, &mut scene.root] {
        let refused = revoke(clients, &token.token_id).await;
        assert_eq!(reason(refused), NO_SUCH_TOKEN);
    }
    Ok(())
}

async fn keys_are_shown_with_their_origin_and_use(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut own = scene.account("own").await?;
    let mut second = scene.another(&mut own).await?;
    let unused = list(&mut own.clients, "").await?.remove(1);
    assert_eq!(unused.access_key_id, second.access_key_id);
    assert_eq!(unused.name, "another");
    assert_eq!(unused.created_by, own.access_key_id);
    assert_eq!(unused.account_id, own.account);
    assert_eq!(unused.scope(), AdminKeyScope::Account);
    assert_eq!(unused.state(), TokenState::Active);
    assert_eq!(unused.last_use, None);
    assert!(unused.create_time.is_some() && unused.revoke_time.is_none());

    second
        .clients
        .create_bucket("used-by-the-second-key")
        .await?;
    let used = list(&mut own.clients, "").await?.remove(1);
    let last_use = used.last_use.expect("a use");
    assert_eq!(last_use.operation, "CreateBucket");
    assert_eq!(last_use.client_address, "127.0.0.1");

    let revoked = revoke(&mut own.clients, &unused.key_id).await?;
    assert_eq!(revoked.state(), TokenState::Revoked);
    assert!(revoked.revoke_time.is_some() && revoked.last_use.is_some());
    let listed = list(&mut own.clients, "").await?.remove(1);
    assert_eq!(listed.revoke_time, revoked.revoke_time);
    Ok(())
}

async fn acts_are_in_the_audit(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut own = scene.account("own").await?;
    let second = scene.another(&mut own).await?;
    revoke(&mut own.clients, &second.access_key_id).await?;
    let request = ListAuditEventsRequest {
        page_size: 2,
        ..Default::default()
    };
    let events = scene.root.admin.list_audit_events(request).await?;
    let events = events.into_inner().events;
    let acts: Vec<_> = events
        .iter()
        .map(|event| (event.action.as_str(), event.actor.as_str()))
        .collect();
    let actor = own.access_key_id.as_str();
    assert_eq!(
        acts,
        [("admin_key.revoke", actor), ("account.create_key", actor)]
    );
    Ok(())
}
