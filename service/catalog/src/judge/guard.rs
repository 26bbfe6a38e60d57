use std::sync::Arc;

use super::State;
use crate::Refusal;
use crate::model::{Bucket, BucketState};
use crate::mutation::{Guard, PolicyGuard};
use bucketry_domain::{BucketId, Timestamp};

/// Whether the request's key may still do what it was allowed to.
pub(super) fn check_guard(state: &State, guard: Guard, now: Timestamp) -> Result<(), Refusal> {
    let Guard::Key { pk, epoch, .. } = guard else {
        return Ok(());
    };
    let key = state
        .access_keys
        .get(&pk)
        .ok_or(Refusal::KeyNotActive { pk, state: None })?;
    if !key.is_usable(now) {
        return Err(Refusal::KeyNotActive {
            pk,
            state: Some(key.state),
        });
    }
    if key.epoch != epoch {
        return Err(Refusal::EpochMoved {
            pk,
            epoch: key.epoch,
        });
    }
    Ok(())
}

/// Whether the bucket still permits what it permitted when the caller was decided on. That it was deleted is the answer
/// of the change, if it matters.
pub(super) fn check_policy(state: &State, policy: Option<PolicyGuard>) -> Result<(), Refusal> {
    let bucket = policy.and_then(|policy| live_bucket(state, policy.bucket).ok());
    match (policy, bucket) {
        (Some(policy), Some(bucket)) if policy.epoch != bucket.policy_epoch => {
            Err(Refusal::PolicyMoved {
                bucket: bucket.id,
                epoch: bucket.policy_epoch,
            })
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

/// The bucket, if it is alive.
pub(super) fn live_bucket(state: &State, bucket: BucketId) -> Result<Arc<Bucket>, Refusal> {
    let found = state
        .buckets
        .get(&bucket)
        .filter(|found| found.state == BucketState::Alive);
    found.cloned().ok_or(Refusal::BucketGone(bucket))
}
