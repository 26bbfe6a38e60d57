//! Limits how many decisions are requested from the service at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bucketry_contract::adapter::v1::{AuthorizeRequest, AuthorizeResponse};
use bucketry_contract::errors;
use bucketry_contract::v1::ErrorReason;
use bucketry_edge::budget::Network;
use bucketry_edge::fair::{FairCaller, Permit, Permits};
use moka::sync::Cache;
use tokio::time::timeout;
use tonic::Status;

/// How long a request may wait for a permit.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// For how long a key is remembered that a network has proved, and how many are.
const REMEMBER: Duration = Duration::from_secs(300);
const MAX_REMEMBERED: u64 = 10_000;

/// Permits to request a decision, granted round robin. Nothing is proved of a caller before its decision, so the callers of
/// a network share, and among them those who claim the same access key. A key that the network has proved lately
/// shares by its account instead: a client that claims one unknown key after another delays only unproved callers.
#[derive(Debug, Clone)]
pub(super) struct DecisionPermits {
    permits: Arc<Permits>,
    proved: Cache<Claimant, FairCaller>,
}

/// The origin of a request before its decision: its network, and the access key that it claims.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Claimant {
    network: Option<Network>,
    access_key_id: Option<String>,
}

impl Claimant {
    pub(super) fn of(request: &AuthorizeRequest) -> Self {
        let claim = request.claim.as_ref();
        Self {
            network: request.client_address.parse().ok().map(Network::of),
            access_key_id: claim.map(|claim| claim.access_key_id.clone()),
        }
    }

    /// The claimant of a request that needs no key.
    pub(super) fn anonymous(address: Option<IpAddr>) -> Self {
        Self {
            network: address.map(Network::of),
            access_key_id: None,
        }
    }
}

impl DecisionPermits {
    /// Permits for `decisions` at once. More would only wait in the service, in one queue for all callers.
    pub(super) fn new(decisions: usize) -> Self {
        Self {
            permits: Permits::new(decisions),
            proved: Cache::builder()
                .max_capacity(MAX_REMEMBERED)
                .time_to_live(REMEMBER)
                .build(),
        }
    }

    /// Remembers that a caller has proved its key.
    pub(super) fn remember(&self, claimant: Claimant, decision: &AuthorizeResponse) {
        if claimant.access_key_id.is_none() {
            return;
        }
        let caller = FairCaller {
            account: decision.account,
            key: decision.access_key,
        };
        // A read is cheaper than a write, and most keys are known.
        if self.proved.get(&claimant) != Some(caller) {
            self.proved.insert(claimant, caller);
        }
    }

    /// Waits for a permit, which the caller holds until the service has answered.
    ///
    /// # Errors
    /// `SlowDown` if too many requests of the network wait, or after ten seconds.
    pub(super) async fn permit(&self, claimant: &Claimant) -> Result<Permit, Status> {
        let granted = timeout(MAX_WAIT, self.permits.acquire(self.caller_of(claimant))).await;
        match granted {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(errors::status_of(ErrorReason::SlowDown)),
        }
    }

    fn caller_of(&self, claimant: &Claimant) -> FairCaller {
        let stranger = FairCaller::unproved(claimant.network);
        let Some(access_key_id) = &claimant.access_key_id else {
            return stranger;
        };
        let proved = self.proved.get(claimant);
        proved.unwrap_or_else(|| stranger.claiming(access_key_id))
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::adapter::v1::SignatureClaim;
    use futures::FutureExt;

    use super::*;

    const DECISIONS: usize = 16;

    fn asked(address: &str, key: Option<&str>) -> Claimant {
        Claimant::of(&AuthorizeRequest {
            client_address: address.to_owned(),
            claim: key.map(|key| SignatureClaim {
                access_key_id: key.to_owned(),
                ..SignatureClaim::default()
            }),
            ..AuthorizeRequest::default()
        })
    }

    #[tokio::test]
    async fn a_network_with_many_requests_takes_turns_with_others() {
        let permits = DecisionPermits::new(DECISIONS);
        let (flood, other) = (asked("192.0.2.1", None), asked("192.0.2.2", None));
        let mut held = Vec::new();
        for _ in 0..DECISIONS {
            held.push(permits.permit(&flood).now_or_never().unwrap().unwrap());
        }
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(permits.permit(&flood))).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        let mut modest = Box::pin(permits.permit(&other));
        assert!((&mut modest).now_or_never().is_none());
        held.truncate(DECISIONS - 2);
        modest.now_or_never().unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_does_not_wait_forever() {
        let permits = DecisionPermits::new(DECISIONS);
        let flood = asked("192.0.2.1", Some("AKIAEXAMPLE"));
        let mut held = Vec::new();
        for _ in 0..DECISIONS {
            held.push(permits.permit(&flood).await.unwrap());
        }
        let refused = permits.permit(&flood).await.unwrap_err();
        let explained = errors::explain(&refused).unwrap();
        assert_eq!(explained.reason, ErrorReason::SlowDown);
    }

    #[test]
    fn a_request_without_a_key_counts_to_its_network() {
        let permits = DecisionPermits::new(DECISIONS);
        let anonymous = Claimant::anonymous(Some([192, 0, 2, 1].into()));
        assert_eq!(anonymous, asked("192.0.2.1", None));
        let claimed = permits.caller_of(&asked("192.0.2.1", Some("A")));
        assert_eq!(permits.caller_of(&anonymous).account, claimed.account);
        assert_eq!(Claimant::anonymous(None), asked("", None));
    }

    #[test]
    fn networks_share_and_within_them_claimed_keys() {
        let permits = DecisionPermits::new(DECISIONS);
        let caller = |address, key| permits.caller_of(&asked(address, key));
        let (one, two) = (caller("192.0.2.1", None), caller("192.0.2.2", None));
        assert_ne!(one.account, two.account);
        let (a, b) = (
            caller("192.0.2.1", Some("A")),
            caller("192.0.2.1", Some("B")),
        );
        assert_eq!((a.account, b.account), (one.account, one.account));
        assert_ne!(a.key, b.key);
        assert_eq!(caller("unknown", None), caller("", None));
    }

    #[test]
    fn a_key_that_its_network_has_proved_is_apart() {
        let permits = DecisionPermits::new(DECISIONS);
        let decision = AuthorizeResponse {
            account: 7,
            access_key: 8,
            ..AuthorizeResponse::default()
        };
        permits.remember(asked("192.0.2.1", Some("A")), &decision);
        let caller = |address, key| permits.caller_of(&asked(address, key));
        let proved = FairCaller { account: 7, key: 8 };
        assert_eq!(caller("192.0.2.1", Some("A")), proved);
        // The same claim from elsewhere is no proof.
        assert_ne!(caller("192.0.2.2", Some("A")), proved);
        assert_ne!(caller("192.0.2.1", Some("B")), proved);
    }
}
