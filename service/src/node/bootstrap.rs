//! What a start finds or makes: keyring, store, first account, operator's key.

use std::io;

use uuid::Uuid;

use super::NodeError;
use crate::access::{
    KekId, Keyring, KeyringFileError, NONCE_LENGTH, SealAlgorithm, SealBinding, Sealed, SecretKey,
    create_keyring_file, open_secret, read_keyring_file, seal_canary, seal_secret, verify_canary,
};
use crate::blobs::BlobStore;
use crate::catalog::model::{AccessKey, KeyLimits, KeyScope, KeyState};
use crate::catalog::mutation::{
    CreateAccessKey, CreateAccount, KeyEdit, ResealAccessKey, UpdateAccessKey,
};
use crate::catalog::query::{KeysOf, ListAccessKeys};
use crate::catalog::{Catalog, CatalogError, Refusal};
use crate::clock::Clock;
use crate::config::{KeyPair, KeyringSource, Secret};
use crate::domain::{AccessKeyId, AccountId, OwnerId};
use crate::ops::tokens::{NewKey, issue_key, seal_key};
use crate::service::Service;

const CANARY: &str = "keyring_canary";
const STORE: &str = "store";
const FIRST_ACCOUNT: &str = "first_account";
const FIRST_ACCOUNT_NAME: &str = "default";
/// The name and the maker of keys that come from the environment; only such keys are revoked when it changes.
const ROOT_NAME: &str = "root";
const ENVIRONMENT: &str = "environment";
const FIRST_START: &str = "first start";

/// The keyring, proved to be the catalog's own.
pub(super) async fn keyring(
    catalog: &Catalog,
    source: &KeyringSource,
) -> Result<Keyring, NodeError> {
    let sealed_before = catalog.setting(CANARY).await?;
    let keyring = match source {
        KeyringSource::Text(text) => Keyring::parse(text.expose())?,
        KeyringSource::File(path) => exposed(read_keyring_file(path)?),
        KeyringSource::MadeAt(path) => match read_keyring_file(path) {
            Ok(read) => exposed(read),
            Err(KeyringFileError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                if sealed_before.is_some() {
                    return Err(NodeError::KeyringMissing(path.clone()));
                }
                create_keyring_file(path)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    let store_id = catalog.store_id().to_owned();
    let canary = match sealed_before {
        Some(canary) => canary,
        None => {
            let fresh = seal_canary(&keyring, store_id.as_bytes())
                .map_err(|error| NodeError::FirstStart(error.to_string()))?;
            catalog.claim_setting(CANARY, pack(&fresh)).await?
        }
    };
    let canary = unpack(&canary).ok_or(NodeError::KeyringForeign(
        crate::access::OpenError::UnknownForm,
    ))?;
    verify_canary(&keyring, store_id.as_bytes(), &canary).map_err(NodeError::KeyringForeign)?;
    Ok(keyring)
}

fn exposed((keyring, exposure): (Keyring, crate::access::FileExposure)) -> Keyring {
    match exposure {
        crate::access::FileExposure::Private => {}
        crate::access::FileExposure::ReadableByOthers => {
            tracing::warn!("the keyring file can be read by others: chmod 600");
        }
    }
    keyring
}

/// Key number, algorithm, nonce, ciphertext.
fn pack(sealed: &Sealed) -> Vec<u8> {
    let mut packed = sealed.kek_id.get().to_be_bytes().to_vec();
    packed.push(sealed.algorithm.number());
    packed.extend_from_slice(&sealed.nonce);
    packed.extend_from_slice(&sealed.ciphertext);
    packed
}

fn unpack(packed: &[u8]) -> Option<Sealed> {
    let (kek_id, rest) = packed.split_first_chunk::<4>()?;
    let (algorithm, rest) = rest.split_first()?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    Some(Sealed {
        kek_id: KekId::new(u32::from_be_bytes(*kek_id))?,
        algorithm: SealAlgorithm::from_number(*algorithm)?,
        nonce: *nonce,
        ciphertext: ciphertext.to_vec(),
    })
}

/// Marks a new store as this catalog's, or proves that it is.
pub(super) async fn store(catalog: &Catalog, blobs: &BlobStore) -> Result<(), NodeError> {
    let id = Uuid::try_parse(catalog.store_id()).map_err(|_| NodeError::StoreId)?;
    if catalog.setting(STORE).await?.is_some() {
        blobs.verify(id).await?;
    } else {
        blobs.claim(id).await?;
        catalog.claim_setting(STORE, b"claimed".to_vec()).await?;
    }
    Ok(())
}

/// The account that is there from the first start.
pub(super) async fn first_account(catalog: &Catalog, clock: Clock) -> Result<AccountId, NodeError> {
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
        let created = catalog
            .submit(CreateAccount {
                id,
                owner_id: OwnerId::from_bytes(owner),
                name: FIRST_ACCOUNT_NAME.to_owned(),
                now: clock.now(),
            })
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
            service.catalog.submit(row).await?;
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
        return match service.catalog.submit(row).await {
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
    let binding = SealBinding {
        pk: row.pk,
        access_key_id: &row.access_key_id,
        scope: row.scope,
    };
    let same = Sealed::try_from(&row.secret)
        .and_then(|sealed| open_secret(&service.keyring, &binding, &sealed))
        .is_ok_and(|stored| stored.matches(secret.expose()));
    if same {
        return Ok(());
    }
    let sealed = seal_secret(&service.keyring, &binding, &secret).map_err(|error| root(&error))?;
    service
        .catalog
        .submit(ResealAccessKey {
            pk: row.pk,
            if_kek: row.secret.kek_id,
            secret: sealed.into(),
        })
        .await?;
    Ok(())
}

async fn end(service: &Service, key: &AccessKey, why: &'static str) -> Result<(), NodeError> {
    tracing::info!(access_key_id = %key.access_key_id, why, "revoking an operator key");
    service
        .catalog
        .submit(UpdateAccessKey {
            pk: key.pk,
            if_version: None,
            edit: KeyEdit {
                state: Some(KeyState::Revoked),
                ..KeyEdit::default()
            },
            now: service.now(),
            by: ENVIRONMENT.to_owned(),
        })
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_read_as_it_was_written() {
        let keyring = Keyring::parse(&Keyring::generate_text().unwrap()).unwrap();
        let canary = seal_canary(&keyring, b"store").unwrap();
        let read = unpack(&pack(&canary)).unwrap();
        assert!(verify_canary(&keyring, b"store", &read).is_ok());
        assert!(verify_canary(&keyring, b"other", &read).is_err());
        assert!(unpack(&[0; 10]).is_none());
    }
}
