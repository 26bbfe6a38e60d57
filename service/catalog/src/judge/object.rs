use std::sync::Arc;

use super::data::{check_data, store_data};
use super::guard::live_bucket;
use super::{CurrentObject, State};
use crate::model::{Bucket, ChangeKind, NewData, ObjectMeta, ObjectRow, Versioning};
use crate::mutation::{DeleteObject, PutObject, UpdateObject};
use crate::{ObjectDeleted, ObjectStored, Outcome, Refusal, Verdict};
use bucketry_domain::{BucketId, ObjectKey, Timestamp, VersionId};

pub(super) fn put_object(state: &mut State, change: &PutObject, at: Timestamp) -> Verdict {
    let bucket = live_bucket(state, change.bucket)?;
    change
        .preconditions
        .check(current(state, change.bucket, &change.key).as_deref())?;
    check_data(state, &change.data)?;
    let version = NewVersion {
        key: &change.key,
        meta: change.meta.clone(),
        data: &change.data,
        modified: at,
    };
    Ok(Outcome::Object(make_current(state, &bucket, version)))
}

pub(super) fn delete_object(state: &mut State, change: &DeleteObject, at: Timestamp) -> Verdict {
    let bucket = live_bucket(state, change.bucket)?;
    let current = current(state, change.bucket, &change.key);
    change.preconditions.check(current.as_deref())?;
    if let Some(row) = &current {
        retire(state, &bucket, row);
        state.objects.remove(&(change.bucket, change.key.clone()));
        state.log_change(ChangeKind::Deleted, row, at, Some(row));
    }
    Ok(Outcome::ObjectDeleted(ObjectDeleted { removed: current }))
}

pub(super) fn update_object(state: &mut State, change: &UpdateObject, at: Timestamp) -> Verdict {
    live_bucket(state, change.bucket)?;
    let place = (change.bucket, change.key.clone());
    let before = state
        .objects
        .get(&place)
        .ok_or(Refusal::ObjectNotFound)?
        .clone();
    change.preconditions.check(Some(&before.row))?;
    let meta = ObjectMeta {
        tags: change.tags.clone(),
        ..before.row.meta.clone()
    };
    let row = Arc::new(ObjectRow {
        meta,
        ..ObjectRow::clone(&before.row)
    });
    state.objects.put(
        place,
        CurrentObject {
            row: row.clone(),
            data: before.data,
        },
    );
    state.log_change(ChangeKind::Updated, &row, at, Some(&before.row));
    Ok(Outcome::Object(ObjectStored {
        row,
        replaced: Some(before.row),
    }))
}

/// The current version of a key.
pub(super) fn current(state: &State, bucket: BucketId, key: &ObjectKey) -> Option<Arc<ObjectRow>> {
    state
        .objects
        .get(&(bucket, key.clone()))
        .map(|object| object.row.clone())
}

/// A version that was accepted.
pub(super) struct NewVersion<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) meta: ObjectMeta,
    pub(super) data: &'a NewData,
    pub(super) modified: Timestamp,
}

/// Makes a version the current one.
pub(super) fn make_current(
    state: &mut State,
    bucket: &Arc<Bucket>,
    version: NewVersion<'_>,
) -> ObjectStored {
    let replaced = current(state, bucket.id, version.key);
    if let Some(row) = &replaced {
        retire(state, bucket, row);
    }
    let (place, data) = store_data(state, version.data);
    let row = Arc::new(ObjectRow {
        bucket: bucket.id,
        key: version.key.clone(),
        generation: state.change_number,
        version: match bucket.versioning {
            Versioning::Unversioned => VersionId::NULL,
        },
        modified: version.modified,
        meta: version.meta,
        place,
    });
    let object = CurrentObject {
        row: row.clone(),
        data: Some(data),
    };
    state.objects.put((bucket.id, version.key.clone()), object);
    state.log_change(ChangeKind::Put, &row, version.modified, replaced.as_deref());
    ObjectStored { row, replaced }
}

/// What becomes of a version that is no longer current: here a versioned bucket would keep it.
fn retire(state: &mut State, bucket: &Bucket, row: &ObjectRow) {
    match bucket.versioning {
        Versioning::Unversioned => state.drop_data(row.place),
    }
}
