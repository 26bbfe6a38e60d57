use std::sync::Arc;

use super::State;
use super::account::check_account;
use super::guard::live_bucket;
use crate::model::{AccessKey, KeyScope, KeyState, SealCheck, Stamp};
use crate::mutation::{CreateAccessKey, KeyEdit, PurgeAccessKey, ResealAccessKey, UpdateAccessKey};
use crate::{Outcome, Refusal, Verdict};
use bucketry_domain::{AccessKeyPk, AccountId, Timestamp};

pub(super) fn create_access_key(
    state: &mut State,
    change: &CreateAccessKey,
    at: Timestamp,
) -> Verdict {
    match change.scope {
        KeyScope::Everything | KeyScope::Edge => {}
        KeyScope::Account(account) => check_account(state, account)?,
        KeyScope::Bucket {
            account, bucket, ..
        } => {
            check_account(state, account)?;
            live_bucket(state, bucket)?;
        }
    }
    if state.access_key_ids.contains(&change.access_key_id)
        || state.access_keys.get(&change.pk).is_some()
    {
        return Err(Refusal::AccessKeyExists);
    }
    let key = Arc::new(AccessKey {
        pk: change.pk,
        access_key_id: change.access_key_id.clone(),
        scope: change.scope,
        name: change.name.clone(),
        allowed: change.allowed.clone(),
        disallowed: change.disallowed.clone(),
        state: KeyState::Active,
        expires: change.expires,
        limits: change.limits,
        version: 1,
        epoch: 1,
        secret: change.secret.clone(),
        seal_check: SealCheck::default(),
        created: Stamp {
            at,
            by: change.by.clone(),
        },
        edited: None,
        revoked: None,
    });
    state.access_key_ids.insert(change.access_key_id.clone());
    state.put_access_key(key.clone());
    Ok(Outcome::AccessKey(key))
}

pub(super) fn update_access_key(
    state: &mut State,
    change: &UpdateAccessKey,
    at: Timestamp,
) -> Verdict {
    let pk = change.pk;
    let before = state
        .access_keys
        .get(&pk)
        .ok_or(Refusal::AccessKeyNotFound(pk))?;
    if before.state == KeyState::Revoked {
        return Err(Refusal::AccessKeyRevoked(pk));
    }
    if change
        .if_version
        .is_some_and(|version| version != before.version)
    {
        return Err(Refusal::VersionMoved {
            pk,
            version: before.version,
        });
    }
    if let Some(account) = change.unless_last_of {
        check_other_administrator(state, account, pk)?;
    }
    let key = Arc::new(edited(
        before,
        &change.edit,
        Stamp {
            at,
            by: change.by.clone(),
        },
    ));
    state.put_access_key(key.clone());
    Ok(Outcome::AccessKey(key))
}

/// Refuses unless the account has another usable administrator key.
fn check_other_administrator(
    state: &State,
    account: AccountId,
    pk: AccessKeyPk,
) -> Result<(), Refusal> {
    let mut usable = state.administrators.get(&account).into_iter().flatten();
    match usable.any(|other| *other != pk) {
        true => Ok(()),
        false => Err(Refusal::LastAdministrator(account)),
    }
}

fn edited(before: &AccessKey, edit: &KeyEdit, stamp: Stamp) -> AccessKey {
    let mut key = before.clone();
    key.name = edit.name.clone().unwrap_or(key.name);
    key.allowed = edit.allowed.clone().unwrap_or(key.allowed);
    key.disallowed = edit.disallowed.clone().unwrap_or(key.disallowed);
    key.state = edit.state.unwrap_or(key.state);
    key.expires = edit.expires.unwrap_or(key.expires);
    key.limits = edit.limits.unwrap_or(key.limits);
    key.version += 1;
    let decides = |key: &AccessKey| {
        (
            key.state,
            key.expires,
            key.allowed.clone(),
            key.disallowed.clone(),
        )
    };
    if decides(&key) != decides(before) {
        key.epoch += 1;
    }
    if key.state == KeyState::Revoked {
        key.revoked = Some(stamp.clone());
    }
    key.edited = Some(stamp);
    key
}

pub(super) fn reseal_access_key(state: &mut State, change: &ResealAccessKey) -> Verdict {
    let pk = change.pk;
    let before = state
        .access_keys
        .get(&pk)
        .ok_or(Refusal::AccessKeyNotFound(pk))?;
    if before.secret.kek_id != change.if_kek {
        return Err(Refusal::VersionMoved {
            pk,
            version: before.version,
        });
    }
    let key = Arc::new(AccessKey {
        secret: change.secret.clone(),
        ..AccessKey::clone(before)
    });
    state.access_keys.put(pk, key.clone());
    Ok(Outcome::AccessKey(key))
}

pub(super) fn purge_access_key(
    state: &mut State,
    change: &PurgeAccessKey,
    at: Timestamp,
) -> Verdict {
    let pk = change.pk;
    let key = state
        .access_keys
        .get(&pk)
        .ok_or(Refusal::AccessKeyNotFound(pk))?;
    let orphaned = match key.scope {
        KeyScope::Bucket { bucket, .. } => live_bucket(state, bucket).is_err(),
        KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge => false,
    };
    let expired = key.expires.is_some_and(|expires| expires <= at);
    if key.state != KeyState::Revoked && !expired && !orphaned {
        return Err(Refusal::AccessKeyUsable(pk));
    }
    let access_key_id = key.access_key_id.clone();
    state.access_key_ids.remove(&access_key_id);
    state.access_keys.remove(&pk);
    // What an earlier mutation of this batch would add.
    state.usage.retain(|row| row.access_key != pk);
    state.last_uses.retain(|used| used.access_key != pk);
    state
        .denials
        .retain(|stored| stored.denial.access_key != pk);
    Ok(Outcome::Done)
}
