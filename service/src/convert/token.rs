use bucketry_contract::v1;

use super::{Owner, timestamp_from_proto, timestamp_to_proto};
use crate::access::{IpList, IpRules, IpRulesError};
use crate::catalog::model::{AccessKey, Account, KeyScope, KeyState};
use crate::domain::{BucketName, Permission, Timestamp};
use crate::error::Error;

const MAX_NAME_CHARS: usize = 128;

/// A token for the wire. `bucket` is absent when the token's bucket is gone.
pub(crate) fn token_to_proto(
    key: &AccessKey,
    bucket: Option<&BucketName>,
    now: Timestamp,
) -> v1::Token {
    let stamp = |at: Timestamp| Some(timestamp_to_proto(at));
    v1::Token {
        token_id: key.pk.to_string(),
        bucket: bucket
            .map(|name| name.as_str().to_owned())
            .unwrap_or_default(),
        name: key.name.clone(),
        permission: permission_of(key).into(),
        allowed_ips: key.allowed.iter().map(shown).collect(),
        disallowed_ips: key.disallowed.iter().map(shown).collect(),
        access_key_id: key.access_key_id.to_string(),
        state: state(key, bucket, now).into(),
        version: key.version,
        create_time: stamp(key.created.at),
        update_time: stamp(key.edited.as_ref().unwrap_or(&key.created).at),
        expire_time: key.expires.map(timestamp_to_proto),
        revoke_time: key
            .revoked
            .as_ref()
            .map(|stamp| timestamp_to_proto(stamp.at)),
        created_by: key.created.by.clone(),
    }
}

/// One address is shown without its prefix length, as it was most likely typed.
fn shown(net: &ipnet::IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

fn permission_of(key: &AccessKey) -> v1::Permission {
    match key.scope {
        KeyScope::Bucket { permission, .. } => match permission {
            Permission::ReadOnly => v1::Permission::ReadOnly,
            Permission::WriteOnly => v1::Permission::WriteOnly,
            Permission::ReadWrite => v1::Permission::ReadWrite,
        },
        KeyScope::Everything | KeyScope::Account(_) => v1::Permission::Unspecified,
    }
}

fn state(key: &AccessKey, bucket: Option<&BucketName>, now: Timestamp) -> v1::TokenState {
    match key.state {
        KeyState::Revoked => v1::TokenState::Revoked,
        _ if bucket.is_none() => v1::TokenState::Orphaned,
        _ if key.expires.is_some_and(|at| now >= at) => v1::TokenState::Expired,
        KeyState::Suspended => v1::TokenState::Suspended,
        KeyState::Active => v1::TokenState::Active,
    }
}

/// A permission as sent.
pub(crate) fn permission_from_proto(sent: i32) -> Result<Permission, Error> {
    match v1::Permission::try_from(sent) {
        Ok(v1::Permission::ReadOnly) => Ok(Permission::ReadOnly),
        Ok(v1::Permission::WriteOnly) => Ok(Permission::WriteOnly),
        Ok(v1::Permission::ReadWrite) => Ok(Permission::ReadWrite),
        Ok(v1::Permission::Unspecified) | Err(_) => Err(Error::InvalidArgument {
            field: "permission",
            problem: "must be read-only, write-only or read-write".to_owned(),
        }),
    }
}

/// A token's or key's name as sent: 1 to 128 characters, none of them a control character.
pub(crate) fn token_name(sent: &str) -> Result<String, Error> {
    let fits = (1..=MAX_NAME_CHARS).contains(&sent.chars().count());
    if fits && !sent.chars().any(char::is_control) && !sent.trim().is_empty() {
        return Ok(sent.to_owned());
    }
    Err(Error::InvalidArgument {
        field: "name",
        problem: format!("must have 1 to {MAX_NAME_CHARS} characters, no control characters"),
    })
}

/// IP lists as sent.
pub(crate) fn ip_rules_from_proto(
    allowed: &[String],
    disallowed: &[String],
) -> Result<IpRules, Error> {
    IpRules::parse(allowed, disallowed).map_err(|problem: IpRulesError| Error::InvalidArgument {
        field: match problem.list() {
            IpList::Allowed => "allowed_ips",
            IpList::Disallowed => "disallowed_ips",
        },
        problem: problem.to_string(),
    })
}

/// An expiry as sent: it must lie ahead.
pub(crate) fn expiry_from_proto(
    sent: Option<&prost_types::Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    match sent.map(timestamp_from_proto) {
        Some(at) if at <= now => Err(Error::InvalidArgument {
            field: "expire_time",
            problem: "must lie in the future".to_owned(),
        }),
        other => Ok(other),
    }
}

/// An account for the wire.
pub(crate) fn account_to_proto(account: &Account) -> v1::Account {
    v1::Account {
        account_id: account.id.to_string(),
        owner_id: account.owner_id.to_string(),
        display_name: account.name.clone(),
        create_time: Some(timestamp_to_proto(account.created)),
    }
}

/// An operator's or account administrator's key for the wire.
pub(crate) fn admin_key_to_proto(key: &AccessKey) -> v1::AdminKey {
    v1::AdminKey {
        key_id: key.pk.to_string(),
        access_key_id: key.access_key_id.to_string(),
        account_id: match key.scope {
            KeyScope::Account(account) => account.to_string(),
            KeyScope::Everything | KeyScope::Bucket { .. } => String::new(),
        },
        name: key.name.clone(),
        create_time: Some(timestamp_to_proto(key.created.at)),
        revoke_time: key
            .revoked
            .as_ref()
            .map(|stamp| timestamp_to_proto(stamp.at)),
    }
}

impl From<&Account> for Owner {
    fn from(account: &Account) -> Self {
        Self {
            id: account.owner_id.to_string(),
            display_name: account.name.clone(),
        }
    }
}
