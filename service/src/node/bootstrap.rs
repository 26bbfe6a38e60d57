//! What a start finds or makes: store, first account, operator's key.

use uuid::Uuid;

use super::NodeError;
use crate::access::{SecretKey, open_row, seal_row};
use crate::blobs::{BlobStore, StoreUrl, UnusableStore};
use crate::catalog::model::{AccessKey, AuditEntry, KeyLimits, KeyScope, KeyState};
use crate::catalog::mutation::{
    CreateAccessKey, CreateAccount, KeyEdit, Mutation, ResealAccessKey, UpdateAccessKey,
};
use crate::catalog::query::{KeysOf, ListAccessKeys};
use crate::catalog::{Catalog, CatalogError, Refusal, TypedChange};
use crate::clock::Clock;
use crate::config::{KeyPair, Secret};
use crate::domain::{AccessKeyId, AccessKeyPk, AccountId, OwnerId};
use crate::ops::tokens::{NewKey, issue_key, seal_key};
use crate::request::Service;

const STORE: &str = "store";
const FIRST_ACCOUNT: &str = "first_account";
const FIRST_ACCOUNT_NAME: &str = "default";
/// The name and the maker of keys that come from the environment; only such keys are revoked when it changes.
const ROOT_NAME: &str = "root";
const ENVIRONMENT: &str = "environment";
const FIRST_START: &str = "first start";

/// Marks a new store as this catalog's, or proves that it is.
pub(super) async fn store(
    catalog: &Catalog,
    blobs: &BlobStore,
    url: &StoreUrl,
) -> Result<(), NodeError> {
    let unusable = |error| UnusableStore::new(url, error);
    let id = Uuid::try_parse(catalog.store_id()).map_err(|_| NodeError::StoreId)?;
    if catalog.setting(STORE).await?.is_some() {
        blobs.verify(id).await.map_err(unusable)?;
    } else {
        blobs.claim(id).await.map_err(unusable)?;
        catalog.claim_setting(STORE, b"claimed".to_vec()).await?;
    }
    Ok(())
}

/// The account that is there from the first start.
pub(super) async fn first_account(
    catalog: &Catalog,
    clock: &Clock,
) -> Result<AccountId, NodeError> {
    let fresh = catalog.next_id().await?;
    let claimed = catalog
        .claim_setting(FIRST_ACCOUNT, fresh.to_be_bytes().to_vec())
        .await?;
    let id = <[u8; 8]>::try_from(claimed.as_slice())
        .map(i64::from_be_bytes)
        .map(AccountId)
        .map_err(|_| NodeError::FirstStart("the first account's number cannot be read".into()))?;
    if catalog.account(id).await?.is_none() {
        let mut owner = [0; 32];
        getrandom::fill(&mut owner).map_err(|error| NodeError::FirstStart(error.to_string()))?;
        let change = CreateAccount {
            id,
            owner_id: OwnerId::from_bytes(owner),
            name: FIRST_ACCOUNT_NAME.to_owned(),
        };
        let created = catalog
            .submit(Mutation::by_system(clock.now(), change))
            .await;
        match created {
            // Another node was faster.
            Ok(_) | Err(CatalogError::Refused(Refusal::AccountExists)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(id)
}

/// The operator's key: as given by the environment, or made on the first start. Answers a key that was made, to be
/// shown once.
pub(super) async fn operator_key(
    service: &Service,
    given: Option<&KeyPair>,
) -> Result<Option<KeyPair>, NodeError> {
    let operators = operators(service).await?;
    match given {
        Some(pair) => {
            ensure_root(service, pair).await?;
            for stale in operators.iter().filter(|key| {
                key.created.by == ENVIRONMENT
                    && key.state == KeyState::Active
                    && key.access_key_id.as_str() != pair.access_key_id
            }) {
                end(service, stale, "replaced by the environment").await?;
            }
            Ok(None)
        }
        None if operators.iter().any(|key| key.state == KeyState::Active) => Ok(None),
        None => {
            let (row, secret) = issue_key(service, operator("operator"), FIRST_START.to_owned())
                .await
                .map_err(|error| NodeError::FirstStart(error.to_string()))?;
            let access_key_id = row.access_key_id.to_string();
            let entry = record(
                service,
                FIRST_START,
                "operator_key.create",
                row.pk,
                &access_key_id,
            );
            submit(service, row, entry).await?;
            Ok(Some(KeyPair {
                access_key_id,
                secret_access_key: Secret::new(secret.expose().to_owned()),
            }))
        }
    }
}

async fn operators(service: &Service) -> Result<Vec<std::sync::Arc<AccessKey>>, CatalogError> {
    let page = service
        .catalog
        .list_access_keys(&ListAccessKeys {
            of: KeysOf::Operators,
            after: None,
            max: 10_000,
        })
        .await?;
    Ok(page.items)
}

fn operator(name: &str) -> NewKey {
    NewKey {
        scope: KeyScope::Everything,
        name: name.to_owned(),
        allowed: Vec::new(),
        disallowed: Vec::new(),
        expires: None,
        limits: KeyLimits::default(),
    }
}

/// The environment decides: a key of this id gets this secret.
async fn ensure_root(service: &Service, pair: &KeyPair) -> Result<(), NodeError> {
    let root = |problem: &dyn std::fmt::Display| NodeError::Root(problem.to_string());
    let id: AccessKeyId = pair.access_key_id.parse().map_err(|error| root(&error))?;
    let secret = SecretKey::parse(pair.secret_access_key.expose().to_owned())
        .map_err(|error| root(&error))?;
    let Some(row) = service.catalog.access_key(&id).await? else {
        let row: CreateAccessKey = seal_key(
            service,
            operator(ROOT_NAME),
            id,
            &secret,
            ENVIRONMENT.to_owned(),
        )
        .await
        .map_err(|error| root(&error))?;
        let entry = record(
            service,
            ENVIRONMENT,
            "operator_key.create",
            row.pk,
            row.access_key_id.as_str(),
        );
        return match submit(service, row, entry).await {
            // Another node was faster.
            Ok(_) | Err(CatalogError::Refused(Refusal::AccessKeyExists)) => Ok(()),
            Err(error) => Err(error.into()),
        };
    };
    if row.scope != KeyScope::Everything {
        return Err(root(&"the access key id belongs to a token or an account"));
    }
    if row.state == KeyState::Revoked {
        return Err(root(
            &"the access key id is revoked for good; choose another",
        ));
    }
    let keyring = service.keyring.current();
    if open_row(&keyring, &row).is_ok_and(|stored| stored.matches(secret.expose())) {
        return Ok(());
    }
    let sealed = seal_row(&keyring, &row, &secret).map_err(|error| root(&error))?;
    let change = ResealAccessKey {
        pk: row.pk,
        if_kek: row.secret.kek_id,
        secret: sealed.into(),
    };
    let entry = record(
        service,
        ENVIRONMENT,
        "operator_key.replace_secret",
        row.pk,
        row.access_key_id.as_str(),
    );
    submit(service, change, entry).await?;
    Ok(())
}

async fn end(service: &Service, key: &AccessKey, why: &'static str) -> Result<(), NodeError> {
    tracing::info!(access_key_id = %key.access_key_id, why, "revoking an operator key");
    let change = UpdateAccessKey {
        pk: key.pk,
        if_version: None,
        unless_last_of: None,
        edit: KeyEdit {
            state: Some(KeyState::Revoked),
            ..KeyEdit::default()
        },
        by: ENVIRONMENT.to_owned(),
    };
    let entry = record(
        service,
        ENVIRONMENT,
        "admin_key.revoke",
        key.pk,
        key.access_key_id.as_str(),
    );
    submit(service, change, entry).await?;
    Ok(())
}

async fn submit<C: TypedChange>(
    service: &Service,
    change: C,
    entry: AuditEntry,
) -> Result<C::Answer, CatalogError> {
    let mutation = Mutation::by_system(service.now(), change).audited(vec![entry]);
    service.catalog.submit(mutation).await
}

/// What a start does to operators' keys, for the audit: nobody asked, so that there is neither address nor request.
fn record(
    service: &Service,
    actor: &str,
    action: &str,
    key: AccessKeyPk,
    access_key_id: &str,
) -> AuditEntry {
    AuditEntry {
        at: service.now(),
        actor: actor.to_owned(),
        address: None,
        action: action.to_owned(),
        account: None,
        bucket: None,
        access_key: Some(key),
        request_id: String::new(),
        details: serde_json::json!({ "access_key_id": access_key_id }).to_string(),
    }
}
