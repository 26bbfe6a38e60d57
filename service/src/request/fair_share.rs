//! Requests and their memory, divided among callers: see [`bucketry_edge::fair`].

use bucketry_edge::fair::{FairCaller, ShareExceeded, Slot};

use super::service::Service;
use crate::access;
use crate::error::Error;
use crate::telemetry::metrics::count_refusal;

/// All operators' keys count as one account. Accounts are numbered from 1, far below.
const OPERATORS: u64 = 1 << 61;

/// A caller's account and key, by which it shares.
pub(crate) fn fair_caller(caller: &access::Caller) -> FairCaller {
    let Some(key) = caller.key() else {
        return FairCaller::ANONYMOUS;
    };
    let account = key.scope.account();
    FairCaller {
        account: account.map_or(OPERATORS, |account| account.0.cast_unsigned()),
        key: key.pk.0.cast_unsigned(),
    }
}

/// The error of a request whose caller's share is used up; counts it in the metrics.
pub(crate) fn busy(refused: ShareExceeded) -> Error {
    count_refusal(refused.label());
    Error::Busy(refused)
}

impl Service {
    /// Takes a slot.
    ///
    /// # Errors
    /// [`Error::Busy`] if the caller has its share already.
    pub(crate) async fn slot(&self, caller: FairCaller) -> Result<Slot, Error> {
        self.fair.open(caller).await.map_err(busy)
    }
}
