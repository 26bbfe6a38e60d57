use std::sync::Arc;

use super::State;
use super::account::check_account;
use super::guard::live_bucket;
use crate::model::{Bucket, BucketState, Versioning};
use crate::mutation::{CreateBucket, DeleteBucket, UpdateBucket};
use crate::{Outcome, Refusal, Verdict};
use bucketry_domain::{BucketSetting, SettingEdit, Timestamp};

pub(super) fn create_bucket(state: &mut State, change: &CreateBucket, at: Timestamp) -> Verdict {
    check_account(state, change.account)?;
    let holder = state
        .bucket_names
        .get(&change.name)
        .and_then(|id| state.buckets.get(id));
    if let Some(bucket) = holder.or_else(|| state.buckets.get(&change.id)) {
        return Err(Refusal::BucketExists {
            bucket: bucket.id,
            owner: bucket.account,
        });
    }
    let bucket = Arc::new(Bucket {
        id: change.id,
        name: change.name.clone(),
        account: change.account,
        region: change.region.clone(),
        created: at,
        state: BucketState::Alive,
        versioning: Versioning::Unversioned,
        policy_epoch: 0,
    });
    state.bucket_names.insert(change.name.clone(), change.id);
    state.buckets.put(change.id, bucket.clone());
    Ok(Outcome::Bucket(bucket))
}

pub(super) fn update_bucket(state: &mut State, change: &UpdateBucket) -> Verdict {
    let bucket = live_bucket(state, change.bucket)?;
    let settings = state.settings.entry(bucket.id).or_default();
    for edit in &change.edits {
        settings.apply(edit.clone(), state.change_number);
        state.changed_settings.insert((bucket.id, edit.setting()));
    }
    let outcome = Outcome::BucketSettings(Arc::new(settings.clone()));
    let mut edited = change.edits.iter().map(SettingEdit::setting);
    if edited.any(BucketSetting::bears_on_access) {
        let bucket = Bucket {
            policy_epoch: bucket.policy_epoch + 1,
            ..Bucket::clone(&bucket)
        };
        state.buckets.put(bucket.id, Arc::new(bucket));
    }
    Ok(outcome)
}

/// Emptiness was looked up before the batch: a key that a neighbour stored counts too, one that a neighbour deleted does
/// not make it empty.
pub(super) fn delete_bucket(state: &mut State, change: &DeleteBucket) -> Verdict {
    let bucket = live_bucket(state, change.bucket)?;
    let object_now =
        (state.objects.changes()).any(|((of, _), object)| *of == bucket.id && object.is_some());
    let version_now = (state.versions.changes())
        .any(|((of, _, _), version)| *of == bucket.id && version.is_some());
    if object_now || version_now || state.occupied.contains(&bucket.id) {
        return Err(Refusal::BucketNotEmpty(bucket.id));
    }
    let bucket = Arc::new(Bucket {
        state: BucketState::Deleted,
        policy_epoch: bucket.policy_epoch + 1,
        ..Bucket::clone(&bucket)
    });
    state.bucket_names.remove(&bucket.name);
    state.settings.remove(&bucket.id);
    let all = BucketSetting::ALL.iter();
    (state.changed_settings).extend(all.map(|setting| (bucket.id, *setting)));
    state.buckets.put(bucket.id, bucket.clone());
    Ok(Outcome::Bucket(bucket))
}
