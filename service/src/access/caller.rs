//! Who asks: the one type that every operation takes.

use std::sync::Arc;

use super::client_address::ClientAddress;
use super::key_facts::KeyFacts;

/// From where, and under which name, a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address that IP rules judge.
    pub address: ClientAddress,
    /// The id under which this request appears in answers and logs.
    pub request_id: Arc<str>,
}

/// A caller: anonymous, or the holder of a key who has proved it.
///
/// Anybody may be anonymous. An authenticated caller comes only from this module's verifiers (a signature, a secret, a
/// session), so that an operation which takes a `Caller` cannot be reached around them.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Option<Arc<KeyFacts>>,
    origin: Origin,
}

impl Caller {
    /// A caller who has proved nothing.
    #[must_use]
    pub fn anonymous(origin: Origin) -> Self {
        Self { key: None, origin }
    }

    /// Only for verifiers, after the proof.
    pub(super) fn proven(key: Arc<KeyFacts>, origin: Origin) -> Self {
        Self {
            key: Some(key),
            origin,
        }
    }

    /// The key that was proved; none for an anonymous caller.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<KeyFacts>> {
        self.key.as_ref()
    }

    /// The address that IP rules judge.
    #[must_use]
    pub fn address(&self) -> ClientAddress {
        self.origin.address
    }

    /// The id under which this request appears in answers and logs.
    #[must_use]
    pub fn request_id(&self) -> &Arc<str> {
        &self.origin.request_id
    }

    /// The same caller with newer facts of the same key, to be decided again. None when the facts are of another key.
    #[must_use]
    pub fn with_current_facts(&self, facts: Arc<KeyFacts>) -> Option<Self> {
        let same = self.key.as_ref().is_some_and(|key| key.pk == facts.pk);
        same.then(|| Self {
            key: Some(facts),
            origin: self.origin.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::key_facts::tests::facts;
    use super::*;
    use crate::catalog::model::KeyScope;
    use crate::domain::AccessKeyPk;

    fn origin() -> Origin {
        Origin {
            address: ClientAddress::UNKNOWN,
            request_id: "r-1".into(),
        }
    }

    #[test]
    fn newer_facts_stay_with_their_key() {
        let key = facts(KeyScope::Everything);
        let caller = Caller::proven(Arc::new(key.clone()), origin());
        let newer = Arc::new(KeyFacts {
            epoch: 4,
            ..key.clone()
        });
        assert_eq!(
            caller
                .with_current_facts(newer)
                .unwrap()
                .key()
                .unwrap()
                .epoch,
            4
        );
        assert!(
            caller
                .with_current_facts(Arc::new(KeyFacts {
                    pk: AccessKeyPk(8),
                    ..key.clone()
                }))
                .is_none()
        );
        assert!(
            Caller::anonymous(origin())
                .with_current_facts(Arc::new(key))
                .is_none()
        );
    }
}
