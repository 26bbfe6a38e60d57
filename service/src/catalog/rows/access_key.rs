use std::num::{NonZeroU32, NonZeroU64};

use super::codes::{from_json, size, stored_size, to_json};
use crate::catalog::CatalogError;
use crate::catalog::model::{AccessKey, KeyLimits, KeyScope, KeyState, SealedSecret, Stamp};
use crate::catalog::sql::{Kind, Record, Row, Table, Value};
use crate::domain::{AccessKeyPk, AccountId, BucketId, Permission, Timestamp};

impl Record for AccessKey {
    const TABLE: Table = Table {
        name: "access_keys",
        columns: &[
            ("pk", Kind::Int),
            ("access_key_id", Kind::Text),
            ("scope", Kind::Int),
            ("account_id", Kind::Int),
            ("bucket_id", Kind::Int),
            ("permission", Kind::Int),
            ("name", Kind::Text),
            ("allowed", Kind::Text),
            ("disallowed", Kind::Text),
            ("state", Kind::Int),
            ("expires", Kind::Int),
            ("version", Kind::Int),
            ("epoch", Kind::Int),
            ("kek_id", Kind::Int),
            ("algorithm", Kind::Int),
            ("nonce", Kind::Bytes),
            ("sealed", Kind::Bytes),
            ("created_at", Kind::Int),
            ("created_by", Kind::Text),
            ("edited_at", Kind::Int),
            ("edited_by", Kind::Text),
            ("revoked_at", Kind::Int),
            ("revoked_by", Kind::Text),
            ("requests_per_second", Kind::Int),
            ("bytes_per_day", Kind::Int),
        ],
        key: 1,
    };

    fn values(&self) -> Vec<Value> {
        let [scope, account, bucket, permission] = scope_values(self.scope);
        let state = match self.state {
            KeyState::Active => 0,
            KeyState::Suspended => 1,
            KeyState::Revoked => 2,
        };
        let [edited_at, edited_by] = stamp_values(self.edited.as_ref());
        let [revoked_at, revoked_by] = stamp_values(self.revoked.as_ref());
        vec![
            self.pk.0.into(),
            self.access_key_id.as_str().into(),
            scope,
            account,
            bucket,
            permission,
            self.name.as_str().into(),
            to_json(&self.allowed).into(),
            to_json(&self.disallowed).into(),
            state.into(),
            self.expires.map(Timestamp::as_micros).into(),
            self.version.into(),
            self.epoch.into(),
            self.secret.kek_id.into(),
            self.secret.algorithm.into(),
            self.secret.nonce.clone().into(),
            self.secret.sealed.clone().into(),
            self.created.at.as_micros().into(),
            self.created.by.as_str().into(),
            edited_at,
            edited_by,
            revoked_at,
            revoked_by,
            self.limits
                .requests_per_second
                .map(|limit| i64::from(limit.get()))
                .into(),
            self.limits
                .bytes_per_day
                .map(|limit| stored_size(limit.get()))
                .into(),
        ]
    }

    fn read(row: &Row) -> Result<Self, CatalogError> {
        let created =
            read_stamp(row, 17)?.ok_or(CatalogError::Corrupt("access_keys.created_at"))?;
        Ok(Self {
            pk: AccessKeyPk(row.int(0)?),
            access_key_id: row
                .text(1)?
                .parse()
                .map_err(|_| CatalogError::Corrupt("access_keys.access_key_id"))?,
            scope: read_scope(row, 2)?,
            name: row.text(6)?,
            allowed: from_json(&row.text(7)?, "access_keys.allowed")?,
            disallowed: from_json(&row.text(8)?, "access_keys.disallowed")?,
            state: match row.int(9)? {
                0 => KeyState::Active,
                1 => KeyState::Suspended,
                2 => KeyState::Revoked,
                _ => return Err(CatalogError::Corrupt("access_keys.state")),
            },
            expires: row.opt_int(10)?.map(Timestamp::from_micros),
            version: row.int(11)?,
            epoch: row.int(12)?,
            secret: SealedSecret {
                kek_id: row.int(13)?,
                algorithm: row.int(14)?,
                nonce: row.bytes(15)?,
                sealed: row.bytes(16)?,
            },
            created,
            edited: read_stamp(row, 19)?,
            revoked: read_stamp(row, 21)?,
            limits: read_limits(row, 23)?,
        })
    }
}

fn scope_values(scope: KeyScope) -> [Value; 4] {
    match scope {
        KeyScope::Everything => [
            0.into(),
            None::<i64>.into(),
            None::<i64>.into(),
            None::<i64>.into(),
        ],
        KeyScope::Account(account) => [
            1.into(),
            account.0.into(),
            None::<i64>.into(),
            None::<i64>.into(),
        ],
        KeyScope::Bucket {
            account,
            bucket,
            permission,
        } => {
            let permission = match permission {
                Permission::ReadOnly => 0,
                Permission::WriteOnly => 1,
                Permission::ReadWrite => 2,
            };
            [
                2.into(),
                account.0.into(),
                bucket.0.into(),
                permission.into(),
            ]
        }
        KeyScope::Edge => [
            3.into(),
            None::<i64>.into(),
            None::<i64>.into(),
            None::<i64>.into(),
        ],
    }
}

fn read_scope(row: &Row, first: usize) -> Result<KeyScope, CatalogError> {
    let columns = (
        row.int(first)?,
        row.opt_int(first + 1)?,
        row.opt_int(first + 2)?,
        row.opt_int(first + 3)?,
    );
    match columns {
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

fn read_limits(row: &Row, first: usize) -> Result<KeyLimits, CatalogError> {
    const REQUESTS: &str = "access_keys.requests_per_second";
    let requests = row.opt_int(first)?.unwrap_or_default();
    let requests = u32::try_from(requests).map_err(|_| CatalogError::Corrupt(REQUESTS))?;
    let bytes = size(
        row.opt_int(first + 1)?.unwrap_or_default(),
        "access_keys.bytes_per_day",
    )?;
    Ok(KeyLimits {
        requests_per_second: NonZeroU32::new(requests),
        bytes_per_day: NonZeroU64::new(bytes),
    })
}

fn stamp_values(stamp: Option<&Stamp>) -> [Value; 2] {
    [
        stamp.map(|stamp| stamp.at.as_micros()).into(),
        stamp.map(|stamp| stamp.by.clone()).into(),
    ]
}

fn read_stamp(row: &Row, first: usize) -> Result<Option<Stamp>, CatalogError> {
    Ok(match (row.opt_int(first)?, row.opt_text(first + 1)?) {
        (Some(at), Some(by)) => Some(Stamp {
            at: Timestamp::from_micros(at),
            by,
        }),
        _ => None,
    })
}
