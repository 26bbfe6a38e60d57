use std::num::{NonZeroU32, NonZeroU64};

use super::codes::{from_json, size, stored_size, to_json};
use crate::CatalogError;
use crate::model::{AccessKey, KeyLimits, KeyScope, KeyState, SealCheck, SealedSecret, Stamp};
use crate::sql::record;
use bucketry_domain::{AccessKeyPk, AccountId, BucketId, Permission, Timestamp};

record! {
    AccessKey, table "access_keys", key 1, stored from row {
        pk: i64 = row.pk.0,
        access_key_id: &str = row.access_key_id.as_str(),
        scope: i64 = match row.scope {
            KeyScope::Everything => 0,
            KeyScope::Account(_) => 1,
            KeyScope::Bucket { .. } => 2,
            KeyScope::Edge => 3,
        },
        account_id: Option<i64> = row.scope.account().map(|account| account.0),
        bucket_id: Option<i64> = token(row.scope).map(|(bucket, _)| bucket.0),
        permission: Option<i64> = token(row.scope).map(|(_, permission)| match permission {
            Permission::ReadOnly => 0,
            Permission::WriteOnly => 1,
            Permission::ReadWrite => 2,
        }),
        name: String = row.name.as_str(),
        allowed: &str = to_json(&row.allowed),
        disallowed: &str = to_json(&row.disallowed),
        state: i64 = match row.state {
            KeyState::Active => 0,
            KeyState::Suspended => 1,
            KeyState::Revoked => 2,
        },
        expires: Option<i64> = row.expires.map(Timestamp::as_micros),
        version: i64 = row.version,
        epoch: i64 = row.epoch,
        kek_id: i64 = row.secret.kek_id,
        algorithm: i64 = row.secret.algorithm,
        nonce: Vec<u8> = row.secret.nonce.as_slice(),
        sealed: Vec<u8> = row.secret.sealed.as_slice(),
        created_at: i64 = row.created.at.as_micros(),
        created_by: String = row.created.by.as_str(),
        edited_at: Option<i64> = row.edited.as_ref().map(|stamp| stamp.at.as_micros()),
        edited_by: Option<String> = row.edited.as_ref().map(|stamp| stamp.by.clone()),
        revoked_at: Option<i64> = row.revoked.as_ref().map(|stamp| stamp.at.as_micros()),
        revoked_by: Option<String> = row.revoked.as_ref().map(|stamp| stamp.by.clone()),
        requests_per_second: Option<i64> = (row.limits.requests_per_second)
            .map(|limit| i64::from(limit.get())),
        bytes_per_day: Option<i64> = row.limits.bytes_per_day.map(|limit| stored_size(limit.get())),
    }
    read as Self {
        pk: AccessKeyPk(pk),
        access_key_id: access_key_id
            .parse()
            .map_err(|_| CatalogError::Corrupt("access_keys.access_key_id"))?,
        scope: key_scope(scope, account_id, bucket_id, permission)?,
        name,
        allowed: from_json(allowed, "access_keys.allowed")?,
        disallowed: from_json(disallowed, "access_keys.disallowed")?,
        state: match state {
            0 => KeyState::Active,
            1 => KeyState::Suspended,
            2 => KeyState::Revoked,
            _ => return Err(CatalogError::Corrupt("access_keys.state")),
        },
        expires: expires.map(Timestamp::from_micros),
        version,
        epoch,
        secret: SealedSecret {
            kek_id,
            algorithm,
            nonce,
            sealed,
        },
        seal_check: SealCheck::default(),
        created: Stamp {
            at: Timestamp::from_micros(created_at),
            by: created_by,
        },
        edited: stamp(edited_at, edited_by),
        revoked: stamp(revoked_at, revoked_by),
        limits: KeyLimits {
            requests_per_second: NonZeroU32::new(
                u32::try_from(requests_per_second.unwrap_or_default())
                    .map_err(|_| CatalogError::Corrupt("access_keys.requests_per_second"))?,
            ),
            bytes_per_day: NonZeroU64::new(size(
                bytes_per_day.unwrap_or_default(),
                "access_keys.bytes_per_day",
            )?),
        },
    }
}

fn token(scope: KeyScope) -> Option<(BucketId, Permission)> {
    match scope {
        KeyScope::Bucket {
            bucket, permission, ..
        } => Some((bucket, permission)),
        KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge => None,
    }
}

fn key_scope(
    scope: i64,
    account: Option<i64>,
    bucket: Option<i64>,
    permission: Option<i64>,
) -> Result<KeyScope, CatalogError> {
    match (scope, account, bucket, permission) {
        (0, None, None, None) => Ok(KeyScope::Everything),
        (1, Some(account), None, None) => Ok(KeyScope::Account(AccountId(account))),
        (2, Some(account), Some(bucket), Some(permission)) => {
            let permission = match permission {
                0 => Permission::ReadOnly,
                1 => Permission::WriteOnly,
                2 => Permission::ReadWrite,
                _ => return Err(CatalogError::Corrupt("access_keys.permission")),
            };
            Ok(KeyScope::Bucket {
                account: AccountId(account),
                bucket: BucketId(bucket),
                permission,
            })
        }
        (3, None, None, None) => Ok(KeyScope::Edge),
        _ => Err(CatalogError::Corrupt("access_keys.scope")),
    }
}

fn stamp(at: Option<i64>, by: Option<String>) -> Option<Stamp> {
    Some(Stamp {
        at: Timestamp::from_micros(at?),
        by: by?,
    })
}
