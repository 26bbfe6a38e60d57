use std::num::{NonZeroU32, NonZeroU64};

use bucketry_contract::v1;

use super::{Owner, timestamp_from_proto, timestamp_to_proto};
use crate::access::{IpList, IpRules, IpRulesError};
use crate::catalog::model::{
    AccessKey, Account, Bucket, BucketState, KeyLimits, KeyScope, KeyState,
};
use crate::domain::{Permission, Timestamp};
use crate::error::Error;

const MAX_NAME_CHARS: usize = 128;

/// A token for the wire, with its bucket, be that gone.
pub(crate) fn token_to_proto(key: &AccessKey, bucket: &Bucket, now: Timestamp) -> v1::Token {
    let stamp = |at: Timestamp| Some(timestamp_to_proto(at));
    v1::Token {
        token_id: key.pk.to_string(),
        bucket: bucket.name.as_str().to_owned(),
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
        limits: limits_to_proto(key.limits),
        // Usage has a table of its own: who shows it, fills it in.
        last_use: None,
        request_count: 0,
    }
}

fn limits_to_proto(limits: KeyLimits) -> Option<v1::TokenLimits> {
    (limits != KeyLimits::default()).then(|| v1::TokenLimits {
        requests_per_second: limits
            .requests_per_second
            .map_or(0, |limit| i64::from(limit.get())),
        bytes_per_day: limits
            .bytes_per_day
            .map_or(0, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX)),
    })
}

/// Limits for a record in the audit.
pub(crate) fn limits_to_json(limits: KeyLimits) -> serde_json::Value {
    serde_json::json!({
        "requests_per_second": limits.requests_per_second,
        "bytes_per_day": limits.bytes_per_day,
    })
}

/// The most requests per second that a limit may be.
const MAX_REQUESTS_PER_SECOND: u32 = 1_000_000;

/// Limits as sent; 0 and absence mean none.
pub(crate) fn limits_from_proto(sent: Option<&v1::TokenLimits>) -> Result<KeyLimits, Error> {
    let sent = sent.copied().unwrap_or_default();
    let requests = u32::try_from(sent.requests_per_second)
        .ok()
        .filter(|&limit| limit <= MAX_REQUESTS_PER_SECOND)
        .ok_or_else(|| Error::InvalidArgument {
            field: "limits.requests_per_second",
            problem: format!("must be 0 (no limit) to {MAX_REQUESTS_PER_SECOND}"),
        })?;
    let bytes = u64::try_from(sent.bytes_per_day).map_err(|_| Error::InvalidArgument {
        field: "limits.bytes_per_day",
        problem: "must be 0 (no limit) or more".to_owned(),
    })?;
    Ok(KeyLimits {
        requests_per_second: NonZeroU32::new(requests),
        bytes_per_day: NonZeroU64::new(bytes),
    })
}

/// One address is shown without its prefix length, as it was most likely typed.
fn shown(net: &ipnet::IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.to_string()
    }
}

pub(crate) fn permission_of(key: &AccessKey) -> v1::Permission {
    match key.scope {
        KeyScope::Bucket { permission, .. } => match permission {
            Permission::ReadOnly => v1::Permission::ReadOnly,
            Permission::WriteOnly => v1::Permission::WriteOnly,
            Permission::ReadWrite => v1::Permission::ReadWrite,
        },
        KeyScope::Everything | KeyScope::Account(_) | KeyScope::Edge => v1::Permission::Unspecified,
    }
}

fn state(key: &AccessKey, bucket: &Bucket, now: Timestamp) -> v1::TokenState {
    match key.state {
        KeyState::Revoked => v1::TokenState::Revoked,
        _ if bucket.state == BucketState::Deleted => v1::TokenState::Orphaned,
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

/// Whether a name may not hold this character: controls, and those that turn or break the text around them (Unicode's
/// bidirectional controls, line and paragraph separators), by which one name could pass for another in a list.
pub(crate) fn is_unnameable(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    turns || character.is_control()
}

/// A token's or key's name as sent: 1 to 128 characters, none of them a control character or one that turns the text.
pub(crate) fn token_name(sent: &str) -> Result<String, Error> {
    let fits = (1..=MAX_NAME_CHARS).contains(&sent.chars().count());
    if fits && !sent.chars().any(is_unnameable) && !sent.trim().is_empty() {
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

fn admin_scope(key: &AccessKey) -> v1::AdminKeyScope {
    match key.scope {
        KeyScope::Everything => v1::AdminKeyScope::Operator,
        KeyScope::Account(_) => v1::AdminKeyScope::Account,
        KeyScope::Edge => v1::AdminKeyScope::Edge,
        KeyScope::Bucket { .. } => v1::AdminKeyScope::Unspecified,
    }
}

/// The key of an operator, an account administrator or a separate adapter for the wire.
pub(crate) fn admin_key_to_proto(key: &AccessKey) -> v1::AdminKey {
    v1::AdminKey {
        key_id: key.pk.to_string(),
        access_key_id: key.access_key_id.to_string(),
        account_id: match key.scope {
            KeyScope::Account(account) => account.to_string(),
            KeyScope::Everything | KeyScope::Bucket { .. } | KeyScope::Edge => String::new(),
        },
        scope: admin_scope(key).into(),
        name: key.name.clone(),
        create_time: Some(timestamp_to_proto(key.created.at)),
        revoke_time: key
            .revoked
            .as_ref()
            .map(|stamp| timestamp_to_proto(stamp.at)),
        state: match key.state {
            KeyState::Active => v1::TokenState::Active,
            KeyState::Suspended => v1::TokenState::Suspended,
            KeyState::Revoked => v1::TokenState::Revoked,
        }
        .into(),
        created_by: key.created.by.clone(),
        // As of a token: whoever shows it adds it.
        last_use: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_look_like_what_they_are() {
        for good in [
            "web",
            "Büro",
            "👩\u{200D}💻",
            "می\u{200C}خواهم",
            &"n".repeat(128),
        ] {
            assert!(token_name(good).is_ok(), "{good:?}");
        }
        let long = "n".repeat(129);
        for bad in [
            "",
            " ",
            "a\nb",
            "\u{0}",
            "\u{202E}bew",
            "a\u{2066}b",
            "a\u{2028}b",
            &long,
        ] {
            assert!(token_name(bad).is_err(), "{bad:?}");
        }
    }
}
