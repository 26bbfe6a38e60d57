//! How many decisions the service is asked for at once.

use std::sync::Arc;
use std::time::Duration;

use bucketry_contract::adapter::v1::AuthorizeRequest;
use bucketry_contract::errors;
use bucketry_contract::v1::ErrorReason;
use bucketry_edge::budget::Network;
use bucketry_edge::fair::{Caller, Permit, Permits};
use tokio::time::timeout;
use tonic::Status;

/// Decisions that the service is asked for at once. More would only wait there, in one queue for all callers.
const AT_ONCE: usize = 16;

/// How long a request may wait until the service is asked about it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Permits to ask for a decision. Nothing is proved of a caller before that, so they are granted round robin by the
/// caller's network, then by the access key that it claims.
#[derive(Debug, Clone)]
pub(super) struct Questions(Arc<Permits>);

impl Questions {
    pub(super) fn new() -> Self {
        Self(Permits::new(AT_ONCE))
    }

    /// Waits until the service may be asked. The permit is held until it has answered.
    ///
    /// # Errors
    /// `SlowDown` if too many requests of the network wait, or after ten seconds.
    pub(super) async fn permit(&self, asked: &AuthorizeRequest) -> Result<Permit, Status> {
        let granted = timeout(LONGEST_WAIT, self.0.acquire(sharer(asked))).await;
        match granted {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(errors::status_of(ErrorReason::SlowDown)),
        }
    }
}

fn sharer(asked: &AuthorizeRequest) -> Caller {
    let network = asked.client_address.parse().ok().map(Network::of);
    let caller = Caller::unproved(network);
    match &asked.claim {
        Some(claim) => caller.claiming(&claim.access_key_id),
        None => caller,
    }
}

#[cfg(test)]
mod tests {
    use bucketry_contract::adapter::v1::SignatureClaim;
    use futures::FutureExt;

    use super::*;

    fn asked(address: &str, key: Option<&str>) -> AuthorizeRequest {
        AuthorizeRequest {
            client_address: address.to_owned(),
            claim: key.map(|key| SignatureClaim {
                access_key_id: key.to_owned(),
                ..SignatureClaim::default()
            }),
            ..AuthorizeRequest::default()
        }
    }

    #[tokio::test]
    async fn a_network_with_many_requests_takes_turns_with_others() {
        let questions = Questions::new();
        let (flood, other) = (asked("192.0.2.1", None), asked("192.0.2.2", None));
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(questions.permit(&flood).now_or_never().unwrap().unwrap());
        }
        let mut waiting: Vec<_> = (0..100)
            .map(|_| Box::pin(questions.permit(&flood)))
            .collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        let mut modest = Box::pin(questions.permit(&other));
        assert!((&mut modest).now_or_never().is_none());
        held.truncate(AT_ONCE - 2);
        modest.now_or_never().unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_does_not_wait_forever() {
        let questions = Questions::new();
        let flood = asked("192.0.2.1", Some("AKIAEXAMPLE"));
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(questions.permit(&flood).await.unwrap());
        }
        let refused = questions.permit(&flood).await.unwrap_err();
        let explained = errors::explain(&refused).unwrap();
        assert_eq!(explained.reason, ErrorReason::SlowDown);
    }

    #[test]
    fn networks_share_and_within_them_claimed_keys() {
        let (one, two) = (
            sharer(&asked("192.0.2.1", None)),
            sharer(&asked("192.0.2.2", None)),
        );
        assert_ne!(one.account, two.account);
        let (a, b) = (
            sharer(&asked("192.0.2.1", Some("A"))),
            sharer(&asked("192.0.2.1", Some("B"))),
        );
        assert_eq!((a.account, b.account), (one.account, one.account));
        assert_ne!(a.key, b.key);
        let (unknown, empty) = (sharer(&asked("unknown", None)), sharer(&asked("", None)));
        assert_eq!(unknown, empty);
    }
}
