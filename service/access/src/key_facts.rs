//! What is known of an access key without its secret.

use super::ip_rules::IpRules;
use bucketry_catalog::model::{AccessKey, KeyLimits, KeyScope, KeyState};
use bucketry_domain::{AccessKeyId, AccessKeyPk, Timestamp};

/// Why a key may not be used at a given time, whatever it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUnusable {
    /// Switched off by its administrator.
    Suspended,
    /// Ended by its administrator.
    Revoked,
    /// Past its expiry.
    Expired {
        /// The moment from which it could no longer be used.
        at: Timestamp,
    },
}

/// One access key as the catalog has it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The row's own number.
    pub pk: AccessKeyPk,
    /// The public id.
    pub access_key_id: AccessKeyId,
    /// How far it reaches.
    pub scope: KeyScope,
    /// Moves when state, expiry or IP rules are edited: a session with an older epoch is decided again.
    pub epoch: i64,
    /// Its stored state.
    pub state: KeyState,
    /// The first moment at which it can no longer be used.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used.
    pub ip_rules: IpRules,
    /// What it may use at most.
    pub limits: KeyLimits,
}

impl KeyFacts {
    /// Why the key may not be used at `now`; none when it may.
    #[must_use]
    pub fn unusable(&self, now: Timestamp) -> Option<KeyUnusable> {
        match (self.state, self.expires_at) {
            (KeyState::Revoked, _) => Some(KeyUnusable::Revoked),
            (KeyState::Suspended, _) => Some(KeyUnusable::Suspended),
            (KeyState::Active, Some(at)) if now >= at => Some(KeyUnusable::Expired { at }),
            (KeyState::Active, _) => None,
        }
    }
}

impl From<&AccessKey> for KeyFacts {
    fn from(key: &AccessKey) -> Self {
        Self {
            pk: key.pk,
            access_key_id: key.access_key_id.clone(),
            scope: key.scope,
            epoch: key.epoch,
            state: key.state,
            expires_at: key.expires,
            ip_rules: IpRules::from_nets(&key.allowed, &key.disallowed),
            limits: key.limits,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn facts(scope: KeyScope) -> KeyFacts {
        KeyFacts {
            pk: AccessKeyPk(7),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            scope,
            epoch: 3,
            state: KeyState::Active,
            expires_at: None,
            ip_rules: IpRules::default(),
            limits: KeyLimits::default(),
        }
    }

    #[test]
    fn a_key_ends_at_its_expiry_and_not_before() {
        let at = Timestamp::from_seconds(1000);
        let key = KeyFacts {
            expires_at: Some(at),
            ..facts(KeyScope::Everything)
        };
        assert_eq!(
            key.unusable(Timestamp::from_micros(at.as_micros() - 1)),
            None
        );
        assert_eq!(key.unusable(at), Some(KeyUnusable::Expired { at }));
    }

    #[test]
    fn state_comes_before_expiry() {
        let key = KeyFacts {
            expires_at: Some(Timestamp::EPOCH),
            ..facts(KeyScope::Everything)
        };
        let now = Timestamp::from_seconds(5);
        for (state, expected) in [
            (KeyState::Suspended, KeyUnusable::Suspended),
            (KeyState::Revoked, KeyUnusable::Revoked),
        ] {
            assert_eq!(
                KeyFacts {
                    state,
                    ..key.clone()
                }
                .unusable(now),
                Some(expected)
            );
        }
    }
}
