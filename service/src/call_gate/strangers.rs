//! Calls without credentials, above all sign-ins, shared by the networks of their clients.

use std::hash::{BuildHasher, RandomState};

use bucketry_edge::budget::Network;
use bucketry_edge::fair::{Fair, FairCaller, FairLimits, ShareExceeded, Slot};
use http::{Extensions, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tonic::Status;
use tonic::body::Body;

use super::CallContent;
use super::body::{CallBody, MessageLimits};
use crate::error::{Error, to_status};
use crate::request::{EffectiveAddress, busy};
use bucketry_edge::ConnectionInfo;

/// The part of all requests that callers without credentials may have.
const DIVISOR: usize = 16;

/// What is around a message in its frame, in bytes.
const FRAME_BYTES: usize = 5;

/// Divides the share of callers without credentials, among networks as if they were accounts, and within a network among
/// connections as if they were keys.
#[derive(Debug)]
pub(super) struct Strangers {
    fair: Fair,
    /// With a random seed, so that nobody chooses an address that counts as another.
    hasher: RandomState,
}

impl Strangers {
    /// Divides a part of these shares.
    pub(super) fn new(shares: FairLimits) -> Self {
        let requests = (shares.requests / DIVISOR).max(1);
        Self {
            fair: Fair::new(FairLimits { requests, ..shares }),
            hasher: RandomState::new(),
        }
    }

    /// Whose call a request is.
    pub(super) fn caller(&self, extensions: &Extensions) -> FairCaller {
        let client = extensions.get::<EffectiveAddress>();
        let network = client.and_then(|client| client.address.ip().map(Network::of));
        let peer = (extensions.get::<ConnectionInfo>()).and_then(|connection| connection.peer);
        FairCaller {
            account: self.hasher.hash_one(network),
            key: self.hasher.hash_one(peer),
        }
    }

    /// A place for a call whose message is complete.
    ///
    /// # Errors
    /// [`Error::Busy`] if the caller has its share and no place has become free in time.
    pub(super) async fn place(&self, caller: FairCaller) -> Result<Slot, Error> {
        let place = self.fair.open(caller).await;
        place.map_err(|_| busy(ShareExceeded::Anonymous))
    }
}

/// Waits for the whole message of a call. Meanwhile the call is in the budget of unauthenticated callers.
///
/// # Errors
/// The refusal of a message that is too long or takes too long.
pub(super) async fn whole<B: CallContent>(
    request: Request<B>,
    limits: MessageLimits,
) -> Result<Request<Body>, Status> {
    let (head, body) = request.into_parts();
    let most = limits.longest as usize + FRAME_BYTES;
    let body = Limited::new(CallBody::new(body, limits, None), most);
    let collected = body
        .collect()
        .await
        .map_err(|error| refusal(error, limits))?;
    let message = Full::new(collected.to_bytes());
    Ok(Request::from_parts(head, Body::new(message)))
}

fn refusal(error: Box<dyn std::error::Error + Send + Sync>, limits: MessageLimits) -> Status {
    if error.is::<LengthLimitError>() {
        let most = u64::from(limits.longest);
        let size = most + 1;
        return to_status(&Error::EntityTooLarge { size, most });
    }
    match error.downcast::<Status>() {
        Ok(status) => *status,
        // The client has gone.
        Err(_) => Status::cancelled("the message broke off"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: FairCaller = FairCaller { account: 1, key: 1 };

    fn strangers(requests: usize) -> Strangers {
        Strangers::new(FairLimits {
            requests,
            ..FairLimits::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_takes_its_share_keeps_no_other_out() {
        let strangers = strangers(1024);
        let mut held = Vec::new();
        for key in 0..64 {
            let caller = FairCaller { key, ..FLOOD };
            held.extend(strangers.place(caller).await.ok());
        }
        assert_eq!(held.len(), 32);
        let other = FairCaller { account: 2, key: 1 };
        assert!(strangers.place(other).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gets_the_next_place() {
        let strangers = strangers(1);
        let held = strangers.place(FLOOD).await.unwrap();
        let (waited, ()) = tokio::join!(strangers.place(FLOOD), async {
            tokio::task::yield_now().await;
            drop(held);
        });
        drop(waited.unwrap());
    }
}
