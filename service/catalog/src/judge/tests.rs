use std::sync::Arc;

use bytes::Bytes;

use super::{CurrentObject, LockMode, Needs, State, UploadedPart, judge};
use crate::model::{
    Bucket, BucketState, DataPlace, DeleteMarker, Extent, KeyVersion, Layout, NewData,
    ObjectHeaders, ObjectLock, ObjectMeta, ObjectRow, Part, PartData, Upload, UploadState,
    Versioning,
};
use crate::mutation::{
    Change, CompleteUpload, DeleteBucket, DeleteObject, Mutation, Preconditions, PutObject, PutPart,
};
use crate::{Outcome, Refusal};
use bucketry_domain::{
    AccountId, BlobBatchId, BlobId, BucketId, DataId, ETag, Generation, ObjectKey, Timestamp,
    UploadId, VersionId,
};

const BUCKET: BucketId = BucketId(1);
const BATCH: BlobBatchId = BlobBatchId(5);
const UPLOAD: UploadId = UploadId::from_bytes([1; 16]);

fn key() -> ObjectKey {
    ObjectKey::new("k").unwrap()
}

fn tag() -> ETag {
    ETag::of_content([0; 16])
}

fn blob(index: u16) -> BlobId {
    BlobId {
        batch: BATCH,
        index,
    }
}

fn extents(index: u16) -> Vec<Extent> {
    vec![Extent {
        blob: blob(index),
        offset: 0,
        length: 10,
    }]
}

/// A live bucket, and the reservation of some blobs.
fn state() -> State {
    let mut state = State::new(1000);
    let bucket = Bucket {
        id: BUCKET,
        name: "bucket".parse().unwrap(),
        account: AccountId(1),
        region: String::new(),
        created: Timestamp::EPOCH,
        state: BucketState::Alive,
        versioning: Versioning::Unversioned,
        policy_epoch: 0,
    };
    state.buckets.load(BUCKET, Arc::new(bucket));
    state.batches.insert(BATCH);
    state
}

/// The same with an object in it.
fn state_with(place: DataPlace) -> State {
    let mut state = state();
    let row = ObjectRow {
        bucket: BUCKET,
        key: key(),
        generation: Generation(7),
        version: VersionId::NULL,
        modified: Timestamp::EPOCH,
        meta: ObjectMeta::new(10, tag(), AccountId(1)),
        place,
    };
    state.objects.load(
        (BUCKET, key()),
        CurrentObject {
            row: Arc::new(row),
            data: None,
        },
    );
    state
}

/// An open upload with part 1 in blob 1 and part 2 in blob 2.
fn state_with_upload() -> State {
    let mut state = state();
    let upload = Upload {
        id: UPLOAD,
        bucket: BUCKET,
        key: key(),
        created: Timestamp::EPOCH,
        initiator: String::new(),
        owner: AccountId(1),
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        lock: ObjectLock::default(),
        acl: None,
        checksum: None,
        state: UploadState::Open,
    };
    state.uploads.load(UPLOAD, Arc::new(upload));
    for number in [1, 2] {
        let part = Part {
            number,
            size: 10,
            etag: tag(),
            modified: Timestamp::EPOCH,
            checksum: None,
            object_crc: None,
            data_id: DataId(i64::from(number)),
        };
        let part = UploadedPart {
            part,
            extents: extents(number),
        };
        state.parts.entry(UPLOAD).or_default().insert(number, part);
    }
    state
}

fn put(data: NewData) -> PutObject {
    PutObject {
        bucket: BUCKET,
        key: key(),
        meta: ObjectMeta::new(10, tag(), AccountId(1)),
        data,
        preconditions: Preconditions::default(),
    }
}

fn put_blob(index: u16) -> Mutation {
    plain(Change::PutObject(put(NewData::Extents(Layout {
        extents: extents(index),
        parts: Vec::new(),
    }))))
}

fn plain(change: Change) -> Mutation {
    Mutation::by_system(Timestamp::EPOCH, change)
}

fn complete(parts: Vec<(u16, DataId)>) -> Mutation {
    let size = 10 * parts.len() as u64;
    plain(Change::CompleteUpload(CompleteUpload {
        bucket: BUCKET,
        key: key(),
        upload: UPLOAD,
        parts,
        meta: ObjectMeta::new(size, tag(), AccountId(1)),
        preconditions: Preconditions::default(),
    }))
}

fn nothing_planned(state: &State) -> bool {
    state.new_data.is_empty()
        && state.dropped_inline.is_empty()
        && state.dropped_extents.is_empty()
        && state.absorbed.is_empty()
        && state.garbage.is_empty()
        && state.audit.is_empty()
        && state.objects.changes().next().is_none()
        && state.buckets.changes().next().is_none()
        && state.uploads.changes().next().is_none()
        && state.changed_parts.is_empty()
        && state.ended_uploads.is_empty()
}

#[test]
fn a_replaced_blob_is_dropped_once() {
    let mut state = state_with(DataPlace::Extents(DataId(3)));
    judge(&mut state, &put_blob(1)).unwrap();
    judge(&mut state, &put_blob(2)).unwrap();
    assert_eq!(state.dropped_extents, [DataId(3)]);
    assert_eq!(
        state.garbage.iter().copied().collect::<Vec<_>>(),
        [blob(1)],
        "written and replaced in one batch"
    );
    assert_eq!(
        state
            .new_data
            .values()
            .flat_map(|row| row.blobs())
            .collect::<Vec<_>>(),
        [blob(2)]
    );
}

#[test]
fn inline_data_needs_no_look_at_blobs() {
    let mut state = state_with(DataPlace::Inline(DataId(3)));
    judge(
        &mut state,
        &plain(Change::PutObject(put(NewData::Inline(Bytes::from_static(
            b"x",
        ))))),
    )
    .unwrap();
    assert_eq!(
        (
            state.dropped_inline.as_slice(),
            state.dropped_extents.as_slice()
        ),
        ([DataId(3)].as_slice(), [].as_slice())
    );
}

#[test]
fn a_version_has_the_number_of_the_change_that_made_it() {
    let mut state = state();
    for number in 42..45 {
        state.change_number = Generation(number);
        let Ok(Outcome::Object(stored)) = judge(&mut state, &put_blob(1)) else {
            panic!("accepted")
        };
        assert_eq!(stored.row.generation, Generation(number));
    }
    assert!(state.buckets.changes().next().is_none());
}

#[test]
fn deleting_a_missing_key_changes_nothing() {
    let mut state = state();
    let delete = DeleteObject {
        bucket: BUCKET,
        key: key(),
        preconditions: Preconditions::default(),
    };
    judge(&mut state, &plain(Change::DeleteObject(delete))).unwrap();
    assert!(nothing_planned(&state));
}

#[test]
fn a_refused_change_plans_nothing() {
    let mut lost = state();
    lost.batches.clear();
    assert_eq!(
        judge(&mut lost, &put_blob(1)),
        Err(Refusal::IntentLost(BATCH))
    );
    assert!(nothing_planned(&lost));
    let mut upload = state_with_upload();
    let changed = judge(
        &mut upload,
        &complete(vec![(1, DataId(1)), (2, DataId(99))]),
    );
    assert_eq!(changed, Err(Refusal::PartChanged { number: 2 }));
    assert!(nothing_planned(&upload));
}

#[test]
fn completing_moves_chosen_parts_and_drops_the_others() {
    let mut state = state_with_upload();
    judge(&mut state, &complete(vec![(2, DataId(2))])).unwrap();
    assert_eq!(
        (state.absorbed.as_slice(), state.dropped_extents.as_slice()),
        ([DataId(2)].as_slice(), [DataId(1)].as_slice())
    );
    assert_eq!(
        state
            .new_data
            .values()
            .flat_map(|row| row.blobs())
            .collect::<Vec<_>>(),
        [blob(2)]
    );
}

#[test]
fn a_part_that_arrives_before_the_completion_in_one_batch_spoils_it() {
    let mut state = state_with_upload();
    let part = PutPart {
        bucket: BUCKET,
        upload: UPLOAD,
        number: 1,
        size: 10,
        etag: tag(),
        checksum: None,
        object_crc: None,
        data: PartData::Extents(extents(9)),
    };
    judge(&mut state, &plain(Change::PutPart(part.clone()))).unwrap();
    let both = complete(vec![(1, DataId(1)), (2, DataId(2))]);
    assert_eq!(
        judge(&mut state, &both),
        Err(Refusal::PartChanged { number: 1 })
    );
    // Without that part it succeeds, and the part's blob is garbage although it was never written to the database.
    judge(&mut state, &complete(vec![(2, DataId(2))])).unwrap();
    assert_eq!(state.dropped_extents, [DataId(1)]);
    assert_eq!(state.garbage.iter().copied().collect::<Vec<_>>(), [blob(9)]);
    assert!(state.changed_parts.is_empty());
    assert_eq!(
        judge(&mut state, &plain(Change::PutPart(part))),
        Err(Refusal::UploadNotFound(UPLOAD))
    );
}

#[test]
fn a_bucket_that_a_neighbour_filled_is_not_empty() {
    let mut state = state();
    judge(&mut state, &put_blob(1)).unwrap();
    let delete = DeleteBucket { bucket: BUCKET };
    assert_eq!(
        judge(&mut state, &plain(Change::DeleteBucket(delete))),
        Err(Refusal::BucketNotEmpty(BUCKET))
    );
}

#[test]
fn a_bucket_in_which_a_neighbour_left_a_delete_marker_is_not_empty() {
    let mut state = state();
    let marker = DeleteMarker {
        bucket: BUCKET,
        key: key(),
        generation: Generation(7),
        version: VersionId(7),
        modified: Timestamp::EPOCH,
        owner: AccountId(1),
    };
    let place = (BUCKET, key(), marker.version);
    state
        .versions
        .put(place.clone(), KeyVersion::DeleteMarker(marker));
    let delete = plain(Change::DeleteBucket(DeleteBucket { bucket: BUCKET }));
    let not_empty = Err(Refusal::BucketNotEmpty(BUCKET));
    assert_eq!(judge(&mut state, &delete), not_empty);
    state.versions.remove(&place);
    assert!(judge(&mut state, &delete).is_ok());
}

#[test]
fn data_that_a_neighbour_dropped_is_no_source() {
    let mut state = state_with(DataPlace::Extents(DataId(3)));
    state.sources.insert(DataId(3));
    judge(&mut state, &put_blob(1)).unwrap();
    let layout = Layout {
        extents: extents(3),
        parts: Vec::new(),
    };
    let copy = put(NewData::Shared {
        source: DataId(3),
        layout,
    });
    assert_eq!(
        judge(&mut state, &plain(Change::PutObject(copy))),
        Err(Refusal::SourceGone)
    );
}

#[test]
fn a_batch_needs_each_thing_once() {
    let same = [put_blob(1), put_blob(1), complete(vec![(1, DataId(1))])];
    let mut needs = Needs::of(&same);
    assert_eq!(
        (
            needs.buckets.len(),
            needs.objects.len(),
            needs.intents.len()
        ),
        (1, 1, 1)
    );
    assert_eq!(needs.key_lock, LockMode::Shared);
    assert!(needs.ending_uploads.remove(&UPLOAD));
}
