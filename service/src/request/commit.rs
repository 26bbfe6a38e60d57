//! The last step of every operation that writes: its change is committed in the caller's name.

use std::sync::Arc;

use super::grant::Grant;
use super::judgement::judge;
use super::key_row::check_seal;
use super::service::Service;
use crate::access::KeyFacts;
use crate::catalog::model::AuditEntry;
use crate::catalog::mutation::{Guard, Mutation, PolicyGuard};
use crate::catalog::{CatalogError, Outcome, Refusal, Rejection, TypedChange};
use crate::content::Place;
use crate::error::Error;

/// How often a commit is decided again because the caller's key or the bucket's policy was changed meanwhile.
const MAX_DECISIONS: usize = 5;

/// How often a blob is reclaimed before the caller is asked to write it again.
const RECLAIMS: u32 = 3;

impl Service {
    /// Commits a change in the caller's name, with audit entries that are written if and only if the change is made. If
    /// the caller's key or the bucket's policy was changed since admission, the decision is made again: the commit
    /// proceeds if the caller is still allowed to make the change, and fails after a revocation.
    pub(crate) async fn commit<C: TypedChange>(
        &self,
        grant: &impl Grant,
        change: C,
        audit: Vec<AuditEntry>,
    ) -> Result<C::Answer, CatalogError> {
        let mutation = self.mutation(grant, change, audit);
        let committed = self.try_commit(grant, mutation).await;
        let outcome = committed.map_err(|rejection| rejection.error)?;
        C::answer(outcome).ok_or(CatalogError::OTHER_OUTCOME)
    }

    /// A change in the caller's name.
    pub(crate) fn mutation<C: TypedChange>(
        &self,
        grant: &impl Grant,
        change: C,
        audit: Vec<AuditEntry>,
    ) -> Box<Mutation> {
        Box::new(Mutation {
            caller: grant.caller().key().map_or(Guard::System, |key| guard(key)),
            policy: grant.policy(),
            at: self.now(),
            change: change.into_change(),
            audit,
        })
    }

    /// Submits, and submits again if the caller's key or the bucket's policy was changed but still allows the change. A
    /// mutation that is refused for another reason is returned.
    pub(crate) async fn try_commit(
        &self,
        grant: &impl Grant,
        mutation: Box<Mutation>,
    ) -> Result<Outcome, Rejection> {
        let mut submitted = self.catalog.try_submit(mutation).await;
        for _ in 1..MAX_DECISIONS {
            match submitted {
                Ok(outcome) => return Ok(outcome),
                Err(rejection) => {
                    let renewed = self.decide_again(grant, rejection).await?;
                    submitted = self.catalog.try_submit(renewed).await;
                }
            }
        }
        submitted
    }

    /// The mutation for another attempt, if it was refused because the caller's key or the bucket's policy was changed,
    /// and both still allow the change.
    async fn decide_again(
        &self,
        grant: &impl Grant,
        mut rejection: Rejection,
    ) -> Result<Box<Mutation>, Rejection> {
        let outdated = matches!(
            rejection.error,
            CatalogError::Refused(
                Refusal::EpochMoved { .. }
                    | Refusal::KeyNotActive { .. }
                    | Refusal::PolicyMoved { .. }
            )
        );
        let (true, Some(facts)) = (outdated, grant.caller().key()) else {
            return Err(rejection);
        };
        let current = self.current_guard(grant, facts).await;
        let caller = current.map_err(Rejection::without_mutation)?;
        let policy = self.current_policy(grant).await;
        let policy = policy.map_err(Rejection::without_mutation)?;
        match rejection.mutation.take() {
            Some(mut mutation) if (mutation.caller, mutation.policy) != (caller, policy) => {
                mutation.caller = caller;
                mutation.policy = policy;
                mutation.at = self.now();
                Ok(mutation)
            }
            _ => Err(rejection),
        }
    }

    /// The current policy epoch of the grant's bucket. No access rule depends on a bucket's settings yet, so that
    /// [`Service::current_guard`] decides without them.
    async fn current_policy(
        &self,
        grant: &impl Grant,
    ) -> Result<Option<PolicyGuard>, CatalogError> {
        let Some(decided) = grant.policy() else {
            return Ok(None);
        };
        let bucket = self.catalog.bucket(decided.bucket).await?;
        Ok(bucket.map(|bucket| PolicyGuard {
            bucket: bucket.id,
            epoch: bucket.policy_epoch,
        }))
    }

    /// The guard of the caller's current key, if the key still allows the change.
    async fn current_guard(
        &self,
        grant: &impl Grant,
        facts: &KeyFacts,
    ) -> Result<Guard, CatalogError> {
        let inactive = || {
            CatalogError::Refused(Refusal::KeyNotActive {
                pk: facts.pk,
                state: None,
            })
        };
        let current = self.catalog.access_key(&facts.access_key_id).await?;
        let current = current.ok_or_else(inactive)?;
        if check_seal(&self.keyring, &current).is_err() {
            return Err(CatalogError::Corrupt("access_keys.sealed"));
        }
        let current = Arc::new(KeyFacts::from(current.as_ref()));
        let caller = grant.caller().with_current_facts(Arc::clone(&current));
        let caller = caller.ok_or_else(inactive)?;
        let still = judge(&caller, grant.classes(), grant.target(), self.now());
        if let Err(refused) = still {
            self.ledger.withdraw(grant, refused);
            return Err(inactive());
        }
        Ok(guard(&current))
    }

    /// As [`Service::commit`], for a change that may refer to a new blob. If the blob's reservation is gone, the blob is
    /// reclaimed and the change submitted again.
    ///
    /// # Errors
    /// `Unavailable` if the blob was collected meanwhile.
    pub(crate) async fn commit_blob<C: TypedChange>(
        &self,
        grant: &impl Grant,
        place: Option<&Place>,
        change: C,
    ) -> Result<C::Answer, Error> {
        let mutation = self.mutation(grant, change, Vec::new());
        let mut committed = self.try_commit(grant, mutation).await;
        for _ in 0..RECLAIMS {
            match (committed, place) {
                (
                    Err(Rejection {
                        error: CatalogError::Refused(Refusal::IntentLost(_)),
                        mutation: Some(mut mutation),
                    }),
                    Some(place),
                ) => {
                    self.content.reclaim(place).await?;
                    mutation.at = self.now();
                    committed = self.try_commit(grant, mutation).await;
                }
                (other, _) => {
                    committed = other;
                    break;
                }
            }
        }
        let outcome = committed.map_err(|rejection| rejection.error)?;
        Ok(C::answer(outcome).ok_or(CatalogError::OTHER_OUTCOME)?)
    }
}

fn guard(key: &KeyFacts) -> Guard {
    Guard::Key {
        pk: key.pk,
        epoch: key.epoch,
        account: key.scope.account(),
    }
}
