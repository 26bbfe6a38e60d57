//! What of a token can be edited, as the audit shows it.

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::catalog::model::{AccessKey, KeyLimits};
use crate::catalog::mutation::{CreateAccessKey, KeyEdit};
use crate::convert::{limits_to_json, timestamp_to_proto};
use crate::domain::Timestamp;

/// The editable settings of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenSettings {
    name: String,
    allowed: Vec<IpNet>,
    disallowed: Vec<IpNet>,
    expires: Option<Timestamp>,
    limits: KeyLimits,
}

impl TokenSettings {
    /// As they are after `edit`.
    pub(super) fn edited(&self, edit: &KeyEdit) -> Self {
        let kept = self.clone();
        Self {
            name: edit.name.clone().unwrap_or(kept.name),
            allowed: edit.allowed.clone().unwrap_or(kept.allowed),
            disallowed: edit.disallowed.clone().unwrap_or(kept.disallowed),
            expires: edit.expires.unwrap_or(kept.expires),
            limits: edit.limits.unwrap_or(kept.limits),
        }
    }

    /// The token `key` with these settings.
    pub(super) fn of(self, key: &AccessKey) -> AccessKey {
        AccessKey {
            name: self.name,
            allowed: self.allowed,
            disallowed: self.disallowed,
            expires: self.expires,
            limits: self.limits,
            ..key.clone()
        }
    }

    /// For the audit, under the contract's names.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "allowed_ips": self.allowed,
            "disallowed_ips": self.disallowed,
            "expire_time": self.expires.map(|at| timestamp_to_proto(at).to_string()),
            "limits": limits_to_json(self.limits),
        })
    }
}

impl From<&AccessKey> for TokenSettings {
    fn from(key: &AccessKey) -> Self {
        Self {
            name: key.name.clone(),
            allowed: key.allowed.clone(),
            disallowed: key.disallowed.clone(),
            expires: key.expires,
            limits: key.limits,
        }
    }
}

impl From<&CreateAccessKey> for TokenSettings {
    fn from(key: &CreateAccessKey) -> Self {
        Self {
            name: key.name.clone(),
            allowed: key.allowed.clone(),
            disallowed: key.disallowed.clone(),
            expires: key.expires,
            limits: key.limits,
        }
    }
}
