//! Callers by rows that may be outdated, and by the current ones.

use std::sync::Arc;

use super::counting::Counting;
use super::key_row::check_seal;
use super::requirement::Resource;
use super::service::Service;
use crate::access::{self, ExpectedOwners, KeyFacts};
use crate::catalog::AccessRows;
use crate::catalog::model::{AccessKey, Bucket, BucketState};
use crate::error::Error;

/// A caller, by rows that may be outdated: the catalog remembered them, or they were read before the request's body or
/// message had come.
///
/// It becomes an [`IdentifiedCaller`] only by the current rows ([`Service::by_current_rows`]), and only that is decided
/// on.
#[derive(Clone)]
pub(crate) struct PresumedCaller {
    pub(super) caller: access::Caller,
    /// The row of the key that the caller proved to hold, absent if the caller is anonymous; and the bucket, absent if it
    /// has not been found yet or the call is about none.
    pub(super) rows: AccessRows,
    pub(super) counting: Counting,
    /// The owners that the request demands.
    pub(super) owners: ExpectedOwners,
}

/// A caller whose credentials have been verified for the call, by current rows.
pub(crate) struct IdentifiedCaller {
    pub(crate) caller: access::Caller,
    /// The bucket, if it has been found already.
    pub(crate) bucket: Option<Arc<Bucket>>,
    /// Who counts the request.
    pub(crate) counting: Counting,
}

impl PresumedCaller {
    /// A caller as the edge in this process decided on it.
    pub(crate) fn of_decision(
        caller: access::Caller,
        rows: AccessRows,
        owners: ExpectedOwners,
    ) -> Self {
        Self {
            caller,
            rows,
            counting: Counting::ByDecision,
            owners,
        }
    }
}

impl Service {
    /// The caller by the current rows of those that it was presumed by; without a bucket if that is deleted.
    ///
    /// A request that a decision counted without limits is counted again if the key has some now.
    ///
    /// # Errors
    /// The key was purged, its row was tampered with, or its secret was replaced.
    pub(super) fn by_current_rows(
        &self,
        presumed: PresumedCaller,
        current: AccessRows,
        resource: Resource<'_>,
    ) -> Result<IdentifiedCaller, Error> {
        let PresumedCaller {
            caller,
            rows,
            counting,
            owners: _,
        } = presumed;
        let bucket = current.bucket;
        let bucket = bucket.filter(|bucket| bucket.state == BucketState::Alive);
        let Some(proved) = rows.key else {
            return Ok(IdentifiedCaller {
                caller,
                bucket,
                counting,
            });
        };
        let purged = || Error::InvalidAccessKeyId {
            access_key_id: proved.access_key_id.to_string(),
        };
        let row = current.key.ok_or_else(purged)?;
        if row == proved {
            return Ok(IdentifiedCaller {
                caller,
                bucket,
                counting,
            });
        }
        check_seal(&self.keyring, &row)?;
        self.check_secret(&caller, &proved, &row, resource)?;
        let counting = counting.by_limits(proved.limits, row.limits);
        let facts = Arc::new(KeyFacts::from(row.as_ref()));
        let caller = caller.with_current_facts(facts).ok_or_else(purged)?;
        Ok(IdentifiedCaller {
            caller,
            bucket,
            counting,
        })
    }

    /// Checks that the secret that the caller proved to hold is the key's current one: a new seal may hold another.
    fn check_secret(
        &self,
        caller: &access::Caller,
        proved: &AccessKey,
        current: &AccessKey,
        resource: Resource<'_>,
    ) -> Result<(), Error> {
        if proved.secret == current.secret {
            return Ok(());
        }
        let secret = self.open_secret(current)?;
        if secret.matches(self.open_secret(proved)?.expose()) {
            return Ok(());
        }
        if let Some(key) = caller.key() {
            (self.ledger).wrong_proof(key, "signature", caller.origin(), resource);
        }
        Err(Error::SecretMismatch)
    }
}
