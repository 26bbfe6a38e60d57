//! Who asks: the one type that every operation takes.

use std::sync::Arc;

use super::client_address::ClientAddress;
use super::key_facts::KeyFacts;

/// The longest user agent that is kept, in bytes.
const MAX_USER_AGENT: usize = 256;

/// From where, and under which name, a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The address that IP rules judge.
    pub address: ClientAddress,
    /// The id under which this request appears in answers and logs.
    pub request_id: Arc<str>,
    /// What is asked for, as its client calls it: the S3 operation or the RPC, as in `GetObject`.
    pub operation: Arc<str>,
    /// What the client says that it is, at most 256 bytes of it; none if it says nothing.
    pub user_agent: Option<Arc<str>>,
}

impl Origin {
    /// A user agent as it is kept: cut between two characters.
    #[must_use]
    pub fn user_agent(sent: &str) -> Option<Arc<str>> {
        let kept = sent.get(..sent.floor_char_boundary(MAX_USER_AGENT));
        kept.filter(|text| !text.is_empty()).map(Arc::from)
    }
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

    /// A caller without a proof, for tests of what comes after it.
    /// A caller without a proof, for tests of what comes after it.
    #[cfg(any(test, feature = "testing"))]
    pub fn proven_for_tests(key: Arc<KeyFacts>, origin: Origin) -> Self {
        Self::proven(key, origin)
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

    /// From where, and under which name, the request came.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
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
    use bucketry_catalog::model::KeyScope;
    use bucketry_domain::AccessKeyPk;

    fn origin() -> Origin {
        Origin {
            address: ClientAddress::UNKNOWN,
            request_id: "r-1".into(),
            operation: "GetObject".into(),
            user_agent: None,
        }
    }

    #[test]
    fn a_user_agent_is_cut_between_characters() {
        assert_eq!(Origin::user_agent(""), None);
        assert_eq!(Origin::user_agent("curl/8").as_deref(), Some("curl/8"));
        let long = format!("{}é", "a".repeat(255));
        assert_eq!(Origin::user_agent(&long).as_deref(), Some(&long[..255]));
        assert_eq!(Origin::user_agent(&long[1..]).as_deref(), Some(&long[1..]));
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
