//! Seals anew, in the background, what another key than the active one sealed. Nothing moves for users: version and
//! epoch stay. Every row is a commit of its own that names the key it expects, so that any node may do it, nodes may do
//! it at once, and a kill at any point loses nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::{LiveKeyring, status};
use crate::access::{Keyring, OpenError, SealError, open_row, seal_row};
use crate::catalog::model::AccessKey;
use crate::catalog::mutation::{Mutation, ResealAccessKey};
use crate::catalog::query::{KeysOf, ListAccessKeys, More};
use crate::catalog::{Catalog, CatalogError, Refusal};
use crate::clock::Clock;
use crate::domain::Timestamp;

/// Rows sealed at once: few, for each is locked for the length of a commit.
const BATCH: u32 = 32;
/// Between two batches, so that requests come first: at most about 1,000 rows a second.
const PAUSE: Duration = Duration::from_millis(30);
/// Requests on their way and other nodes may still seal with an older key after a pass has found nothing left: soon
/// after a change that is likely, later it is not.
const LOOK_AGAIN_SOON: Duration = Duration::from_secs(1);
const LOOK_AGAIN_LATEST: Duration = Duration::from_secs(60);

/// What one pass over all rows did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Resealed {
    /// Rows sealed anew.
    done: u64,
    /// Rows that do not open, and stay as they are.
    failed: u64,
}

/// Why a row cannot be sealed anew.
#[derive(Debug, thiserror::Error)]
enum RowError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Runs until the future that holds it is dropped: at once, after each reload, and at least every minute.
pub(crate) async fn reseal_for_ever(catalog: Catalog, keyring: Arc<LiveKeyring>, clock: Clock) {
    let mut replaced = keyring.subscribe();
    let mut pause = LOOK_AGAIN_SOON;
    loop {
        let current = replaced.borrow_and_update().clone();
        match pass(&catalog, &current, &clock, || {
            replaced.has_changed().unwrap_or(true)
        })
        .await
        {
            Ok(Resealed { done: 0, failed: 0 }) => {}
            Ok(Resealed { done, failed: 0 }) => {
                tracing::info!(secrets = done, key = %current.active_id(), "sealed secrets anew");
            }
            Ok(Resealed { done, failed }) => tracing::error!(
                secrets = done,
                failed,
                key = %current.active_id(),
                "sealed secrets anew; some do not open and stay under their former key"
            ),
            Err(error) => tracing::warn!(%error, "sealing anew failed; retrying"),
        }
        tokio::select! {
            changed = replaced.changed() => {
                if changed.is_err() {
                    return;
                }
                pause = LOOK_AGAIN_SOON;
            }
            () = tokio::time::sleep(pause) => pause = (2 * pause).min(LOOK_AGAIN_LATEST),
        }
    }
}

/// Goes once over all rows that are not sealed by the active key; ends early when `outdated` says that the keyring is
/// no longer the current one.
async fn pass(
    catalog: &Catalog,
    keyring: &Keyring,
    clock: &Clock,
    outdated: impl Fn() -> bool,
) -> Result<Resealed, CatalogError> {
    let in_use = catalog.sealed_secrets().await?;
    status::complain(keyring, &in_use);
    let mut total = Resealed::default();
    for sealed in in_use {
        match status::loaded(keyring, sealed.kek_id) {
            Some(id) if id != keyring.active_id() => {}
            Some(_) | None => continue,
        }
        let mut after = None;
        loop {
            let page = catalog
                .list_access_keys(&ListAccessKeys {
                    of: KeysOf::Kek(sealed.kek_id),
                    after,
                    max: BATCH,
                })
                .await?;
            if outdated() {
                return Ok(total);
            }
            let resealed = page
                .items
                .iter()
                .map(|row| reseal(catalog, keyring, clock.now(), row));
            for result in join_all(resealed).await {
                total = total.with(result)?;
            }
            after = page.items.last().map(|row| row.pk);
            if page.more == More::No {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(total)
}

impl Resealed {
    fn with(self, row: Result<(), RowError>) -> Result<Self, CatalogError> {
        match row {
            Ok(()) => Ok(Self {
                done: self.done + 1,
                ..self
            }),
            // Another node was faster, or the key was purged.
            Err(RowError::Catalog(CatalogError::Refused(
                Refusal::VersionMoved { .. } | Refusal::AccessKeyNotFound(_),
            ))) => Ok(self),
            Err(RowError::Catalog(error)) => Err(error),
            Err(RowError::Open(_) | RowError::Seal(_)) => Ok(Self {
                failed: self.failed + 1,
                ..self
            }),
        }
    }
}

async fn reseal(
    catalog: &Catalog,
    keyring: &Keyring,
    now: Timestamp,
    row: &AccessKey,
) -> Result<(), RowError> {
    let sealed = open_row(keyring, row)
        .map_err(RowError::from)
        .and_then(|secret| Ok(seal_row(keyring, row, &secret)?))
        .inspect_err(|error| {
            tracing::error!(access_key_id = %row.access_key_id, %error, "a secret cannot be sealed anew");
        })?;
    let change = ResealAccessKey {
        pk: row.pk,
        if_kek: row.secret.kek_id,
        secret: sealed.into(),
    };
    catalog.submit(Mutation::by_system(now, change)).await?;
    Ok(())
}
